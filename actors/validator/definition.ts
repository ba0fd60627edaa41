import { noTimers } from '../../src/core/no-timers.ts';
import { decideValidator } from './decide.ts';
import { foldValidator, validatorMachineVersion } from './machine.ts';

/** The validator as an actor: stream `validator.<address>`. The chain keeps its deadlines, so it has no timers. */
export const validatorActor = {
  kind: 'validator',
  machineVersion: validatorMachineVersion,
  fold: foldValidator,
  decide: decideValidator,
  ...noTimers,
} as const;
