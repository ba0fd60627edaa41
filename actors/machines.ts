import { clientMachine } from './client/machine.ts';
import { contractMachine } from './client/contract-machine.ts';
import { jobMachine } from './miner/job-machine.ts';
import { minerMachine } from './miner/machine.ts';
import { networkMachine } from './network/machine.ts';
import { roundMachine } from './network/round-machine.ts';
import { oracleMachine } from './oracle/machine.ts';
import { watchMachine } from './oracle/watch-machine.ts';
import { routerMachine } from './router/machine.ts';
import { sessionMachine } from './session/machine.ts';
import { taskMachine } from './task/machine.ts';
import { hearingMachine } from './validator/hearing-machine.ts';
import { validationMachine } from './validator/validation-machine.ts';
import { validatorMachine } from './validator/machine.ts';

/** Every machine of the network by its id, each actor's before those inside it. */
export const machines = {
  session: sessionMachine,
  task: taskMachine,
  miner: minerMachine,
  job: jobMachine,
  validator: validatorMachine,
  validation: validationMachine,
  hearing: hearingMachine,
  oracle: oracleMachine,
  watch: watchMachine,
  router: routerMachine,
  client: clientMachine,
  contract: contractMachine,
  network: networkMachine,
  round: roundMachine,
} as const;

/** The id of a machine. */
export type MachineName = keyof typeof machines;
