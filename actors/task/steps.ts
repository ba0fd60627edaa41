import type { Hex } from '../../src/core/hash.ts';
import type { Cid, TaskId } from '../../src/core/ids.ts';
import type { TaskContext } from './context.ts';

/** A task that another one comes after, and what its template calls it. */
export type StepParent = { readonly name: string; readonly task: TaskId };

/** Where a task stands in a plan. */
export type PlanPlace = {
  /** The plan: the request id that it was asked for under. */
  readonly id: Hex;
  readonly name: string;
  /** From 0, parents first: the first one brings all of them to the chain. */
  readonly place: number;
};

/** A task that this one comes after is settled; its winning result is a part of the prompt. */
export type ParentSettled = {
  readonly type: 'ParentSettled';
  readonly task: TaskId;
  readonly parent: TaskId;
  readonly result: Cid;
  /** With the last one: the step waits for its miners from now on, until `expiresAt`, by a beacon later than `block`. */
  readonly ready?: { readonly block: number; readonly expiresAt: number };
};

/** A task that this one comes after ended without an answer, so that this one never begins. */
export type ParentFailed = { readonly type: 'ParentFailed'; readonly task: TaskId; readonly parent: TaskId };

/** Whether everything that a task comes after is settled. */
export function isReady({ after = [], settledParents = [] }: TaskContext): boolean {
  return after.length === settledParents.length;
}

/** Whether a task waits for another one. */
export function waitsFor({ after = [], settledParents = [] }: TaskContext, parent: TaskId): boolean {
  return after.some(({ task }) => task === parent) && !settledParents.some((one) => one.parent === parent);
}

/** Whether a task comes after another one, settled or not. */
export function comesAfter({ after = [] }: TaskContext, parent: TaskId): boolean {
  return after.some(({ task }) => task === parent);
}

/** What a task fails as whose router does not serve its client. */
const notServed = 'client_not_served';

/** What a step fails as, by the reason for which it was asked to end; for any other it is cancelled. */
const endings: Readonly<Record<string, string>> = {
  expired: 'task_expired',
  step_prompt_too_long: 'step_prompt_too_long',
  parent_not_found: 'parent_not_found',
  template_mismatch: 'template_mismatch',
};

/** The state of a task that somebody asked to end. */
export function cancelledBy({ after }: TaskContext, reason: string): Partial<TaskContext> {
  const ofStep = after === undefined ? undefined : endings[reason];
  const endsAs = reason === notServed ? notServed : ofStep;
  return endsAs === undefined ? { cancelRequested: true } : { cancelRequested: true, endsAs };
}

/** The state once another parent is settled. */
export function withParent(
  { settledParents = [] }: TaskContext,
  { parent, result, ready }: ParentSettled,
): Partial<TaskContext> {
  const all = { settledParents: [...settledParents, { parent, result }] };
  return ready === undefined ? all : { ...all, expiresAt: ready.expiresAt, readyBlock: ready.block };
}
