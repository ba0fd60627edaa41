import type { Timer } from '../../src/core/effect.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import type { SessionContext } from './context.ts';
import { decideSession, type SessionCommand } from './decide.ts';
import { foldSession, sessionMachineVersion } from './machine.ts';

/** The timers of the tasks, each named `<task>/<timer>`. An ended task has one while its assignment is waited for. */
function sessionTimers({ context: { tasks, ended } }: Folded<SessionContext>): Timer[] {
  const due: Timer[] = [];
  // The host asks after every commit: loops, since most tasks have no timer.
  for (const { context } of [...Object.values(tasks), ...ended]) {
    for (const [timer, at] of Object.entries(context.timers)) due.push({ id: `${context.task}/${timer}`, at });
  }
  return due;
}

function fireTaskTimer({ id }: Timer): SessionCommand {
  const slash = id.indexOf('/');
  return { type: 'FireTaskTimer', task: id.slice(0, slash) as TaskId, timer: id.slice(slash + 1) };
}

/** The session, with its tasks, as an actor: stream `session.<session id>`. */
export const sessionActor = {
  kind: 'session',
  machineVersion: sessionMachineVersion,
  fold: foldSession,
  decide: decideSession,
  timers: sessionTimers,
  timerCommand: fireTaskTimer,
} as const;
