import type { SessionContext } from '../../../actors/session/context.ts';
import { foldSession } from '../../../actors/session/machine.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { Folded } from '../../core/fold.ts';
import { foldCommit } from '../../core/fold-commit.ts';
import { type SessionId, streamId, type TaskId } from '../../core/ids.ts';
import type { EventStore } from '../../ports/event-store.ts';

/**
 * A task that the session's state no longer keeps, from the log: the session is folded to the commit that
 * ended it.
 *
 * @throws PouwError `log_newer_version`.
 */
export async function endedTask(
  store: EventStore,
  session: SessionId,
  task: TaskId,
  endedVersion: number,
): Promise<Folded<TaskContext> | undefined> {
  let state: Folded<SessionContext> = foldSession.initial;
  for await (const { commit } of store.read(streamId('session', session), { toVersion: endedVersion })) {
    ({ state } = foldCommit(foldSession, state, commit));
  }
  return taskOf(state.context, task);
}
