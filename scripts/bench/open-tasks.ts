import { sessionActor } from '../../actors/session/definition.ts';
import type { SessionEvent } from '../../actors/session/events.ts';
import { foldTask } from '../../actors/task/machine.ts';
import type { Fold } from '../../src/core/fold.ts';
import { limits } from '../../src/core/limits.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave } from './interleave.ts';
import { busySession, oneMoreTask } from './session-log.ts';

/** How many unfinished tasks the session has beside the one that is measured. */
const beside = [0, 63, limits.sessionOpenTasksMax - 1] as const;

/** What a session's size costs each of its events. */
export const openTasks: Figure = {
  name: 'open-tasks',
  title: 'what one event of a task costs its session: the fold, and the timers that the host asks for after it',
  run: measure,
};

async function measure({ quick, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 15;
  const times = quick ? 5 : 100;
  const events = oneMoreTask();
  const rows: FigureResult['rows'][number][] = [];
  for (const others of beside) {
    onStep(`${others + 1} unfinished`);
    const session = busySession(others, limits.sessionEndedTasksKept);
    const samples = await interleave(rounds, {
      session: async () => microsecondsEach(sessionActor.fold, session, events, times),
      task: async () => microsecondsEach(foldTask, foldTask.initial, events, times),
      timers: async () => microsecondsOf(() => void sessionActor.timers(session), events.length * times),
    });
    const what = `${others + 1} unfinished`;
    rows.push(
      compared(
        { what: `fold, ${what}`, unit: 'µs', against: "the task's own machine alone" },
        samples.session,
        samples.task,
      ),
      compared(
        { what: `timers, ${what}`, unit: 'µs', against: "the task's own machine alone" },
        samples.timers,
        samples.task,
      ),
    );
  }
  return { rows, notes: [`Beside them ${limits.sessionEndedTasksKept} ended tasks, as every session has in time.`] };
}

/** The mean time of an event over the life of a task, from the same state each time. */
function microsecondsEach<Context>(
  fold: Fold<Context>,
  from: Fold<Context>['initial'],
  events: readonly SessionEvent[],
  times: number,
): number {
  return (
    microsecondsOf(() => {
      let state = from;
      for (const event of events) ({ state } = fold.step(state, event));
    }, times) / events.length
  );
}

function microsecondsOf(work: () => void, times: number): number {
  const startedAt = performance.now();
  for (let time = 0; time < times; time += 1) work();
  return ((performance.now() - startedAt) * 1_000) / times;
}
