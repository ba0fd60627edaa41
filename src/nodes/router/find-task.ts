import type { SessionContext } from '../../../actors/session/context.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { Folded } from '../../core/fold.ts';
import type { SessionId, TaskId } from '../../core/ids.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { LogIndex } from '../log-index.ts';
import { type EndedTask, endedTasks } from './ended-task.ts';

/** A task, from its session's state or, where that no longer keeps it, from the log. */
export interface FoundTask {
  readonly session: SessionId;
  readonly task: Folded<TaskContext>;
  /** Whether it is in the session's state: then the router may have its words. */
  readonly isLive: boolean;
}

/** Where tasks are looked for. */
export interface TaskSources {
  readonly index: LogIndex;
  readonly store: EventStore;
  session(id: SessionId): Promise<Folded<SessionContext>>;
}

/** The tasks of a session that the log has and the index still remembers, in the order of their ids as given. */
export async function findTasks(
  sources: TaskSources,
  session: SessionId,
  ids: readonly TaskId[],
): Promise<FoundTask[]> {
  const { index, store } = sources;
  const { context } = await sources.session(session);
  const live = new Map<TaskId, Folded<TaskContext>>();
  const wanted = new Map<TaskId, EndedTask>();
  for (const id of ids) {
    const { startedVersion, endedVersion } = index.task(id) ?? {};
    const kept = taskOf(context, id);
    if (kept !== undefined && (endedVersion === undefined || !isWishUnderUsedId(kept))) live.set(id, kept);
    else if (startedVersion !== undefined && endedVersion !== undefined)
      wanted.set(id, { startedVersion, endedVersion });
  }
  const ended = await endedTasks(store, session, wanted);
  return ids.flatMap((id) => {
    const kept = live.get(id);
    const task = kept ?? ended.get(id);
    return task === undefined ? [] : [{ session, task, isLive: kept !== undefined }];
  });
}

/**
 * One task; undefined where the log does not have it.
 *
 * @param expected the session it is in where somebody knows: the index follows the log and may be a moment behind.
 */
export async function findTask(sources: TaskSources, id: TaskId, expected?: SessionId): Promise<FoundTask | undefined> {
  const session = sources.index.task(id)?.session ?? expected;
  return session === undefined ? undefined : (await findTasks(sources, session, [id]))[0];
}

/** Whether a submission came to nothing because its id was used before: then the id's task is the earlier one. */
function isWishUnderUsedId({ context }: Folded<TaskContext>): boolean {
  return context.submittedBlock === 0 && context.failure?.code === 'request_id_reused';
}
