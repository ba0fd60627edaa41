import { isBatched, leafSlots } from '../../../../actors/task/batched.ts';
import type { SessionContext } from '../../../../actors/session/context.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import type { BatchTask } from '../../../core/batch/content.ts';
import type { Folded } from '../../../core/fold.ts';
import { type SessionId, sessionNumber, type TaskId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';

/** A task whose miners have all precommitted. */
export interface ReadyTask {
  readonly session: SessionId;
  readonly task: TaskContext;
}

/** The tasks of sessions that a batch may bind, but for those that one is binding. */
export function readyTasks(
  sessions: ReadonlyMap<SessionId, Folded<SessionContext>>,
  taken: ReadonlySet<TaskId>,
): ReadyTask[] {
  return [...sessions].flatMap(([session, { context }]) =>
    Object.values(context.tasks).flatMap(({ value, context: task }): ReadyTask[] => {
      const isReady =
        value === 'executing' &&
        isBatched(task) &&
        task.batch === undefined &&
        !task.cancelRequested &&
        !taken.has(task.task) &&
        task.slots.length > 0 &&
        task.slots.every(({ phase }) => phase === 'precommitted');
      return isReady ? [{ session, task }] : [];
    }),
  );
}

/**
 * How long the first task waits for others, in milliseconds: the more batches wait for their windows, the longer, since a
 * router may have `limits.batchesPostedMax` of them and no more. Under a load that goes on it comes to about a minute.
 */
export function gatherMs(openBatches: number): number {
  return limits.batchGatherMs * 2 ** Math.floor(openBatches / limits.batchesPerGatherStep);
}

/** The next batch of ready tasks: no more tasks and sessions than one takes. */
export function nextBatch(ready: readonly ReadyTask[], sessionsMax: number = limits.batchSessionsMax): ReadyTask[] {
  const sessions = new Set<SessionId>();
  const chosen: ReadyTask[] = [];
  for (const one of ready) {
    if (chosen.length >= limits.batchGatheredTasksMax) break;
    if (!sessions.has(one.session) && sessions.size >= sessionsMax) continue;
    sessions.add(one.session);
    chosen.push(one);
  }
  return chosen;
}

/** A task as the content of its batch has it. */
export function batchTask({ session, task }: ReadyTask): BatchTask {
  return {
    session,
    number: Number(sessionNumber(session)),
    task: task.task,
    step: 0,
    maxPriceWei: task.escrowWei,
    slots: leafSlots(task).map(({ miner, attempt, hash }) => ({ miner, attempt, precommit: hash })),
    validators: task.validators,
  };
}
