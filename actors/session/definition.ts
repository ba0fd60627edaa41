import type { Timer } from '../../src/core/effect.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import type { SessionContext } from './context.ts';
import { decideSession, type SessionCommand } from './decide.ts';
import { foldSession, sessionMachineVersion } from './machine.ts';

/** The timers of the tasks, each named `<task>/<timer>`. */
function sessionTimers({ context }: Folded<SessionContext>): Timer[] {
  return Object.entries(context.tasks).flatMap(([task, state]) =>
    Object.entries(state.context.timers).map(([timer, at]) => ({ id: `${task}/${timer}`, at })),
  );
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
