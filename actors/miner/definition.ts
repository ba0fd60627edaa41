import { noTimers } from '../../src/core/no-timers.ts';
import { decideMiner } from './decide.ts';
import { foldMiner, minerMachineVersion } from './machine.ts';

/** The miner as an actor: stream `miner.<address>`. The chain keeps its deadlines, so it has no timers. */
export const minerActor = {
  kind: 'miner',
  machineVersion: minerMachineVersion,
  fold: foldMiner,
  decide: decideMiner,
  ...noTimers,
} as const;
