import { taskOf } from '../../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import type { TaskFact } from '../../../../actors/task/decide.ts';
import type {
  AssignOnChain,
  CancelOnChain,
  ExpireOnChain,
  SettleOnChain,
  SubmitOnChain,
  TaskEffect,
} from '../../../../actors/task/effects.ts';
import { present } from '../../../core/assert.ts';
import type { Folded } from '../../../core/fold.ts';
import type { Address, SessionId, TaskId } from '../../../core/ids.ts';
import type { SessionRuntime } from '../session-effects.ts';

/** An effect of a task of a batched session, and where it comes from. */
export interface BatchedEffect<E extends TaskEffect> {
  readonly effect: E;
  readonly session: SessionId;
  readonly task: Folded<TaskContext>;
  readonly cause: string;
}

/** Carries out without the chain what an effect asks of it. */
export type BatchedHandler<E extends TaskEffect> = (runtime: SessionRuntime, of: BatchedEffect<E>) => Promise<void>;

/** Takes the task up: its miners are drawn by a block that comes later. */
export const takeTask: BatchedHandler<SubmitOnChain> = async (runtime, { effect: { task }, session, cause }) => {
  const { number } = await runtime.base.ports.chain.block();
  await runtime.dispatch(session, { type: 'TakeTask', task, afterBlock: number }, cause);
};

/** The selection stands as it is in the log, where anyone can draw it again. */
export const assignTask: BatchedHandler<AssignOnChain> = async (runtime, { effect, session, task, cause }) => {
  const { ranking, redundancy, validators, beaconBlock } = task.context;
  const { terms } = (await runtime.session(session)).context;
  const ackBy = runtime.base.ports.clock.now() + present(terms, 'terms').ackTimeoutS * 1_000;
  const { beacon, selectionDigest } = effect;
  const miners = ranking.slice(0, redundancy);
  const draw = { miners, validators, beaconBlock, beacon, selectionDigest, ackBy };
  const fact: TaskFact = { type: 'MinersAssigned', session, task: effect.task, ...draw, place: null };
  await runtime.dispatch(session, { type: 'SeeTaskFact', fact }, cause);
};

/** The manifest is pinned; the outcome goes on chain with its batch. */
export const pinManifest: BatchedHandler<SettleOnChain> = async (runtime, { effect }) => {
  const { content } = runtime.base.ports;
  await content.put(effect.manifest);
  await content.flush();
};

/** Ends a task that is in no batch yet; one that is in a batch ends with it. */
export const endTask: BatchedHandler<CancelOnChain | ExpireOnChain> = async (
  runtime,
  { effect, session, task, cause },
) => {
  if (task.context.batch !== undefined) return;
  const code = effect.kind === 'cancelOnChain' ? 'task_cancelled' : 'task_expired';
  const reason = effect.kind === 'cancelOnChain' ? 'The task was ended.' : 'The task had no miners in time.';
  await runtime.dispatch(session, { type: 'GiveUpTask', task: effect.task, code, reason }, cause);
};

/** A miner that has taken its job is at work. */
export async function sawJobTaken(
  runtime: SessionRuntime,
  { session, task, miner, cause }: { session: SessionId; task: TaskId; miner: Address; cause: string },
): Promise<void> {
  const { terms } = (await runtime.session(session)).context;
  const precommitBy = runtime.base.ports.clock.now() + present(terms, 'terms').executeTimeoutS * 1_000;
  const fact: TaskFact = { type: 'TaskAcked', session, task, miner, precommitBy, place: null };
  await runtime.dispatch(session, { type: 'SeeTaskFact', fact }, cause);
}

/** A task of a session as it is now. */
export async function taskNow(
  runtime: SessionRuntime,
  session: SessionId,
  task: TaskId,
): Promise<Folded<TaskContext> | undefined> {
  return taskOf((await runtime.session(session)).context, task);
}
