import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import { placeholdersIn, stepNamePattern } from '../../core/step-template.ts';
import type { PlannedStep } from '../../ports/plan-network.ts';
import { chatMessages, refuseUnsupportedMessages } from './chat-request.ts';
import { fieldsOf, invalidField, parse, text } from './parse.ts';
import { checkPromptSize, taskFields, wantedTask } from './task-fields.ts';

const nameField = z
  .string()
  .regex(stepNamePattern, `must be a letter and then letters, digits, _ or -, at most ${limits.stepNameCharsMax}`);

const stepRequest = z
  .object({
    name: nameField,
    after: z.array(nameField).max(limits.stepParentsMax).optional(),
    messages: chatMessages.optional(),
    prompt: text.optional(),
    ...taskFields,
  })
  .refine(
    ({ messages, prompt }) => (messages === undefined) !== (prompt === undefined),
    'needs either `messages` or `prompt`',
  );

const planRequest = z.object({
  session: z.string().optional(),
  request_id: text.min(1).max(limits.idempotencyKeyCharsMax).optional(),
  steps: z.array(stepRequest).min(1).max(limits.planStepsMax),
});

/** A plan as its request describes it. */
export interface WantedPlan {
  readonly session?: string;
  /** What names it for its client, so that the same plan again is the same one. */
  readonly requestId?: string;
  /** Parents first. */
  readonly steps: readonly PlannedStep[];
}

/**
 * Reads the body of `POST /v1/plans`; every step is for the session's model.
 *
 * @throws PouwError `invalid_request` also for names that stand twice, steps that come after each other in a circle or after
 *   no step, and placeholders that name no step before; `prompt_too_long`, `unsupported_parameter`.
 */
export function readPlanRequest(body: unknown, model: string): WantedPlan {
  const given = fieldsOf(body)['steps'];
  for (const step of Array.isArray(given) ? given : []) refuseUnsupportedMessages(fieldsOf(step)['messages']);
  const { session, request_id: requestId, steps } = parse(planRequest, body);
  const planned = steps.map(({ name, after = [], messages, prompt, ...fields }): PlannedStep => {
    const words = checkPromptSize(messages === undefined ? { text: prompt ?? '' } : { messages });
    return { name, after, task: wantedTask(fields, { model, prompt: words, topLogprobs: 0 }) };
  });
  checkNames(planned);
  return {
    ...(session === undefined ? {} : { session }),
    ...(requestId === undefined ? {} : { requestId }),
    steps: parentsFirst(planned),
  };
}

function checkNames(steps: readonly PlannedStep[]): void {
  const names = new Set<string>();
  for (const [place, { name }] of steps.entries()) {
    if (names.has(name)) throw invalidField(`steps[${place}].name`, `another step is called ${name}`);
    names.add(name);
  }
  for (const [place, { name, after, task }] of steps.entries()) {
    const field = `steps[${place}]`;
    const stranger = after.find((one) => !names.has(one) || one === name);
    if (stranger !== undefined) throw invalidField(`${field}.after`, `no other step is called ${stranger}`);
    if (new Set(after).size < after.length) throw invalidField(`${field}.after`, 'a step stands twice');
    // Where a step comes after none, braces are words like any other.
    const wanting = after.length === 0 ? undefined : placeholdersIn(task.prompt).find((one) => !after.includes(one));
    if (wanting !== undefined) throw invalidField(field, `{{${wanting}}} names no step that \`${name}\` comes after`);
  }
}

/** The steps in an order in which each stands behind those that it comes after. */
function parentsFirst(steps: readonly PlannedStep[]): PlannedStep[] {
  const ordered: PlannedStep[] = [];
  let left = [...steps];
  while (left.length > 0) {
    const ready = left.filter(({ after }) => after.every((name) => ordered.some((one) => one.name === name)));
    if (ready.length === 0)
      throw invalidField('steps', `${left.map(({ name }) => name).join(', ')} come after each other in a circle`);
    ordered.push(...ready);
    left = left.filter((step) => !ready.includes(step));
  }
  return ordered;
}
