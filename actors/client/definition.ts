import { noTimers } from '../../src/core/no-timers.ts';
import { decideClient } from './decide.ts';
import { foldClient, clientMachineVersion } from './machine.ts';

/** The client as an actor: stream `client.<address>`. */
export const clientActor = {
  kind: 'client',
  machineVersion: clientMachineVersion,
  fold: foldClient,
  decide: decideClient,
  ...noTimers,
} as const;
