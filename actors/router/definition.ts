import { noTimers } from '../../src/core/no-timers.ts';
import { decideRouter } from './decide.ts';
import { foldRouter, routerMachineVersion } from './machine.ts';

/** The router's book as an actor: stream `router.<address>`. Cool-downs end by themselves, so it has no timers. */
export const routerActor = {
  kind: 'router',
  machineVersion: routerMachineVersion,
  fold: foldRouter,
  decide: decideRouter,
  ...noTimers,
} as const;
