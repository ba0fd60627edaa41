import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { Folded } from '../../core/fold.ts';
import type { SessionId, TaskId } from '../../core/ids.ts';
import type { LogIndex } from '../log-index.ts';
import type { RouterNode } from '../router/router-node.ts';
import { endedTask } from './ended-task.ts';

/** A task, from its session's state or, where that no longer keeps it, from the log. */
export interface FoundTask {
  readonly session: SessionId;
  readonly task: Folded<TaskContext>;
  /** Whether it is in the session's state: then the router may have its words. */
  readonly isLive: boolean;
}

/** The task of an id; undefined where the log has none, or none that the index still remembers. */
export async function findTask(
  index: LogIndex,
  routerOf: (session: SessionId) => RouterNode | undefined,
  id: TaskId,
): Promise<FoundTask | undefined> {
  const indexed = index.task(id);
  const router = indexed === undefined ? undefined : routerOf(indexed.session);
  if (indexed === undefined || router === undefined) return undefined;
  const { session, endedVersion } = indexed;
  const live = taskOf((await router.session(session)).context, id);
  if (live !== undefined && (endedVersion === undefined || !isWishUnderUsedId(live)))
    return { session, task: live, isLive: true };
  if (endedVersion === undefined) return undefined;
  const task = await endedTask(router.base.ports.store, session, id, endedVersion);
  return task === undefined ? undefined : { session, task, isLive: false };
}

/** Whether a submission came to nothing because its id was used before: then the id's task is the earlier one. */
function isWishUnderUsedId({ context }: Folded<TaskContext>): boolean {
  return context.submittedBlock === 0 && context.failure?.code === 'request_id_reused';
}
