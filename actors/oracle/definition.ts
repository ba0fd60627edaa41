import type { Timer } from '../../src/core/effect.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { OracleContext } from './context.ts';
import { deadlinesOf, nextLookAt } from './deadlines.ts';
import { decideOracle, type FireTimer } from './decide.ts';
import { foldOracle, oracleMachineVersion } from './machine.ts';

/** The deadlines this oracle has to look at, each at the time its turn comes, named `<task>/<deadline>`. */
function oracleTimers({ context }: Folded<OracleContext>): Timer[] {
  return Object.entries(context.watches).flatMap(([task, watch]) =>
    deadlinesOf(watch).flatMap((deadline) => {
      const at = nextLookAt(context, watch.context, deadline);
      return at === undefined ? [] : [{ id: `${task}/${deadline.name}`, at }];
    }),
  );
}

/** The oracle as an actor: stream `oracle.<address>`. */
export const oracleActor = {
  kind: 'oracle',
  machineVersion: oracleMachineVersion,
  fold: foldOracle,
  decide: decideOracle,
  timers: oracleTimers,
  timerCommand: ({ id }: Timer): FireTimer => ({ type: 'FireTimer', timer: id }),
} as const;
