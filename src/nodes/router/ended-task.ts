import { taskAfter } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { TaskEvent } from '../../../actors/task/events.ts';
import type { Folded } from '../../core/fold.ts';
import { type SessionId, streamId, type TaskId } from '../../core/ids.ts';
import { eventsOf } from '../../core/stored-events.ts';
import type { EventStore } from '../../ports/event-store.ts';

/** Where an ended task is in its session's stream. */
export interface EndedTask {
  readonly startedVersion: number;
  readonly endedVersion: number;
}

/**
 * Tasks that their session's state no longer keeps, from the log. A task's state follows from its own events alone, so
 * only the commits between the first one's beginning and the last one's end are read, once for all of them.
 *
 * @throws PouwError `log_newer_version`.
 */
export async function endedTasks(
  store: EventStore,
  session: SessionId,
  wanted: ReadonlyMap<TaskId, EndedTask>,
): Promise<Map<TaskId, Folded<TaskContext>>> {
  const found = new Map<TaskId, Folded<TaskContext>>();
  if (wanted.size === 0) return found;
  const places = [...wanted.values()];
  const fromVersion = Math.min(...places.map(({ startedVersion }) => startedVersion));
  const toVersion = Math.max(...places.map(({ endedVersion }) => endedVersion));
  for await (const { commit } of store.read(streamId('session', session), { fromVersion, toVersion })) {
    for (const event of eventsOf(commit) as readonly TaskEvent[]) {
      const place = 'task' in event ? wanted.get(event.task) : undefined;
      if (place === undefined || commit.version < place.startedVersion || commit.version > place.endedVersion) continue;
      found.set(event.task, taskAfter(found.get(event.task), event));
    }
  }
  return found;
}
