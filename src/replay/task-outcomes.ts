import { findings, type Outcome } from '../../actors/router/reputation.ts';
import { hasEnded, taskAfter } from '../../actors/session/tasks.ts';
import type { TaskContext } from '../../actors/task/context.ts';
import { taskEventTypes } from '../../actors/task/event-types.ts';
import type { TaskEvent } from '../../actors/task/events.ts';
import type { Event } from '../core/commit.ts';
import type { Folded } from '../core/fold.ts';
import { eventsOf } from '../core/stored-events.ts';
import type { StoredCommit } from '../ports/event-store.ts';

/** What came of a task, and where the log says so. */
export interface TaskOutcome extends Outcome {
  /** The position of the commit that ends the task. */
  readonly position: number;
}

const types: ReadonlySet<string> = new Set(taskEventTypes);
const isOfTask = (event: Event): event is TaskEvent & Event => types.has(event.type);

/**
 * What came of the tasks of all sessions, by the sessions' own streams and in the order in which the log has their ends.
 * Every task counts once, with its first end that says something about somebody: what a reorg makes of it later changes
 * nothing that was counted. Speeds are not in these streams.
 */
export async function* taskOutcomes(commits: AsyncIterable<StoredCommit>): AsyncGenerator<TaskOutcome> {
  const open = new Map<string, Folded<TaskContext>>();
  const counted = new Set<string>();
  for await (const { position, commit } of commits) {
    if (!commit.stream.startsWith('session.')) continue;
    for (const event of eventsOf(commit).filter(isOfTask)) {
      const key = `${commit.stream} ${event.task}`;
      if (counted.has(key) || (event.type !== 'TaskSubmitted' && !open.has(key))) continue;
      const state = taskAfter(open.get(key), event);
      open.set(key, state);
      if (!hasEnded(state)) continue;
      open.delete(key);
      const outcome = outcomeOf(state.context);
      if (findings(outcome).length === 0) continue;
      counted.add(key);
      yield { ...outcome, position };
    }
  }
}

/** The same as a task's effect tells its router at its end. */
function outcomeOf({ task, verdict, timedOut }: TaskContext): Outcome {
  return { task, honest: verdict?.honest ?? [], outliers: verdict?.outliers ?? [], timedOut, tokensPerSecond: {} };
}
