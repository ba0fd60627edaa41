import type { SessionTerms } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { accept, type Decision, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { TaskId } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import { cancelRequest } from './choose.ts';
import type { TaskContext } from './context.ts';
import type { SeenAt, TaskEvent, TaskTerms } from './events.ts';

/** A task as the chain holds it. */
export type ChainTask = {
  readonly task: TaskId;
  readonly promptDigest: Hex;
  readonly maxTokens: number;
  readonly escrowWei: Wei;
  /** What it comes after; nothing of a task that is no step. */
  readonly after: readonly TaskId[];
  readonly seen: SeenAt;
};

/**
 * The chain holds a task that is known here. Where it is not the one that was wanted, it is cancelled. It is under the terms
 * of the session at that place of the chain, whatever they were when the task was wanted.
 */
export function queuedOnChain(
  { value, context }: Folded<TaskContext>,
  { task, promptDigest, maxTokens, escrowWei, after, seen }: ChainTask,
  terms: SessionTerms | null,
): Decision<TaskEvent> {
  if (value !== 'queued' || context.submittedBlock > 0) return unchanged;
  const others = terms === null ? undefined : otherTerms(context, terms);
  const queued: TaskEvent = {
    type: 'TaskQueuedOnChain',
    task,
    escrowWei,
    ...(others === undefined ? {} : { terms: others }),
    seen,
  };
  const isSame =
    cidToDigest(context.prompt) === promptDigest && context.maxTokens === maxTokens && isAfter(context, after);
  return isSame || context.cancelRequested ? accept(queued) : accept(cancelRequest(task, 'request_id_reused'), queued);
}

/** Whether the chain has a task come after the same ones. */
function isAfter({ after = [] }: TaskContext, tasks: readonly TaskId[]): boolean {
  return after.length === tasks.length && after.every(({ task }) => tasks.includes(task));
}

/** The terms for a task where they are others than those it was wanted under. */
function otherTerms(context: TaskContext, terms: SessionTerms): TaskTerms | undefined {
  const { redundancy, validators, similarityBps, level } = terms;
  const now = { redundancy, validators, similarityBps, level, dedicated: terms.mode === 'dedicated' };
  const isSame =
    context.redundancy === redundancy &&
    context.validatorCount === validators &&
    context.similarityBps === similarityBps &&
    context.level === level &&
    context.dedicated === now.dedicated;
  return isSame ? undefined : now;
}

/** Terms as a task's state has them. */
export function contextTerms({ validators, ...same }: TaskTerms): Partial<TaskContext> {
  return { ...same, validatorCount: validators };
}
