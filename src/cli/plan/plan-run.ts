import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PouwError } from '../../core/errors.ts';
import { table } from '../table.ts';
import { cor } from '../wallet/report.ts';
import { type Door, type DoorOptions, openDoor } from './door.ts';

/** How a command about plans is done. */
export interface PlanOptions extends DoorOptions {
  readonly json?: boolean;
}

/** Milliseconds between two looks at a plan that goes on. */
const lookMs = 500;

const planAnswer = z.looseObject({
  id: z.string(),
  state: z.enum(['running', 'settled', 'failed']),
  price_wei: z.string(),
  steps: z.array(
    z.looseObject({
      name: z.string(),
      state: z.string(),
      waiting: z.boolean(),
      text: z.string().nullable(),
      price_wei: z.string(),
      failure: z.object({ code: z.string(), reason: z.string() }).nullable(),
    }),
  ),
});
type PlanAnswer = z.infer<typeof planAnswer>;

/**
 * Runs the plan in a file and waits for its end. Where this is interrupted the plan goes on; the same file with a
 * `request_id` takes it up again.
 *
 * @throws PouwError `plan_file_unreadable`, `plan_failed`, and what the network answers.
 */
export async function runPlan(file: string, options: PlanOptions): Promise<void> {
  const door = openDoor(options);
  let plan = await ask(door, 'POST', '/plans', readPlan(file));
  let seen = '';
  while (plan.state === 'running') {
    const progress = plan.steps.map(({ name, ...step }) => `${name} ${stepState(step)}`).join(', ');
    if (progress !== seen && options.json !== true) process.stderr.write(`${progress}\n`);
    seen = progress;
    await sleep(lookMs);
    plan = await ask(door, 'GET', `/plans/${plan.id}`);
  }
  print(plan, options);
  if (plan.state === 'settled') return;
  const failed = plan.steps.find(({ failure }) => failure !== null && failure.code !== 'parent_failed');
  throw new PouwError('plan_failed', `The plan ${plan.id} did not come to its end.`, {
    class: 'unavailable',
    why: `${failed?.name ?? 'A step'} ended without an answer: ${failed?.failure?.reason ?? 'unknown'}`,
    hint: 'What its other steps would have cost is back in the session.',
  });
}

/** Shows a plan. @throws PouwError `plan_not_found`, and what the network answers. */
export async function showPlan(plan: string, options: PlanOptions): Promise<void> {
  print(await ask(openDoor(options), 'GET', `/plans/${plan}`), options);
}

async function ask(door: Door, method: 'GET' | 'POST', path: string, body?: unknown): Promise<PlanAnswer> {
  return planAnswer.parse(await door.ask(method, path, body));
}

function readPlan(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new PouwError('plan_file_unreadable', `The file ${file} cannot be read as a plan.`, {
      class: 'invalid',
      why: 'It is not there, or is no JSON.',
      param: 'file',
      cause,
    });
  }
}

function print(plan: PlanAnswer, { json }: PlanOptions): void {
  if (json === true) {
    process.stdout.write(`${JSON.stringify(plan)}\n`);
    return;
  }
  const rows = plan.steps.map((step) => [
    step.name,
    stepState(step),
    cor(step.price_wei as Parameters<typeof cor>[0]),
    step.text ?? step.failure?.reason ?? '–',
  ]);
  const columns = ['step', 'state', 'cost', 'answer'].map((title) => ({ title }));
  const sum = cor(plan.price_wei as Parameters<typeof cor>[0]);
  process.stdout.write(`${table(columns, rows)}\n\nplan ${plan.id}: ${plan.state}, ${sum}\n`);
}

function stepState({ state, waiting }: { readonly state: string; readonly waiting: boolean }): string {
  return waiting ? 'waits' : state;
}
