import { digestToCid } from '../core/cid.ts';
import { PouwError } from '../core/errors.ts';
import type { Cid, TaskId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { fillTemplate, templateChars } from '../core/step-template.ts';
import {
  type AskedContent,
  askedContent,
  type PromptContent,
  resultContent,
  type StepContent,
  type TaskContent,
} from '../messages/bodies.ts';
import type { Chain } from '../ports/chain.ts';
import type { ContentStore } from '../ports/content-store.ts';

/** What working out the prompt of a task stands on. */
export interface PromptPorts {
  readonly content: Pick<ContentStore, 'get'>;
  readonly chain: Pick<Chain, 'stepSource'>;
}

type Wait = Parameters<ContentStore['get']>[1];

/**
 * What a task asks for, by its CID. The prompt of a step is its template with the winning texts of those that it comes
 * after, as the chain names them: whoever works it out believes nobody.
 *
 * @throws PouwError `content_not_found`, `prompt_malformed`, `prompt_not_of_task`, `step_prompt_too_long`.
 */
export async function readPrompt(ports: PromptPorts, task: TaskId, cid: Cid, wait: Wait): Promise<TaskContent> {
  const asked = await readAsked(ports.content, cid, wait);
  return asked.kind === 'step' ? fillStep(ports, { task, cid, template: asked }, wait) : asked;
}

/** What a task was asked for by, a template where it is a step. @throws PouwError `content_not_found`, `prompt_malformed`. */
export async function readAsked(content: PromptPorts['content'], cid: Cid, wait: Wait): Promise<AskedContent> {
  const parsed = askedContent.safeParse(await content.get(cid, wait));
  if (parsed.success) return parsed.data;
  throw new PouwError('prompt_malformed', `The content ${cid} is not a prompt.`, {
    class: 'invalid',
    why: parsed.error.message,
  });
}

interface Step {
  readonly task: TaskId;
  readonly cid: Cid;
  readonly template: StepContent;
}

async function fillStep(ports: PromptPorts, { task, cid, template }: Step, wait: Wait): Promise<PromptContent> {
  const source = await ports.chain.stepSource(task);
  const parents = source?.parents ?? [];
  const isOf = parents.length === template.after.length && template.after.every((one) => resultOf(parents, one.task));
  if (source === undefined || digestToCid(source.promptDigest) !== cid || !isOf) throw notOf(task);
  const texts = new Map<string, string>();
  for (const { name, task: parent } of template.after) {
    const digest = resultOf(parents, parent);
    if (digest === undefined) throw notOf(task);
    const parsed = resultContent.safeParse(await ports.content.get(digestToCid(digest), wait));
    if (!parsed.success || parsed.data.task !== parent) throw notOf(task);
    texts.set(name, parsed.data.text);
  }
  const { after: _, kind: __, ...asked } = template;
  const prompt = fillTemplate(template.prompt, texts) as PromptContent['prompt'];
  const chars = templateChars(prompt);
  if (chars > limits.promptCharsMax) throw stepTooLong(task, `${chars} characters`);
  return { kind: 'prompt', ...asked, prompt };
}

function resultOf(
  parents: readonly { readonly task: TaskId; readonly resultDigest: `0x${string}` | undefined }[],
  task: TaskId,
): `0x${string}` | undefined {
  return parents.find((parent) => parent.task === task)?.resultDigest;
}

/** The error for a step whose prompt has become longer than its model or the network takes. */
export function stepTooLong(task: TaskId, size: string): PouwError {
  return new PouwError('step_prompt_too_long', `The prompt of the step ${task} has become ${size}.`, {
    class: 'too-large',
    why: 'Its template together with what the steps before it have said is more than fits.',
    hint: 'Give those steps a smaller max_tokens.',
  });
}

/** The error for a prompt that a node was told and that the chain does not have for the task. */
export function notOf(task: TaskId): PouwError {
  return new PouwError('prompt_not_of_task', `What was told as the prompt of ${task} is not what the chain has.`, {
    class: 'invalid',
    why: 'It has another digest, another step, or comes after other tasks; or one of these has no winning result.',
  });
}
