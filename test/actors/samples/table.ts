import type { MachineName } from '../../../actors/machines.ts';
import type { Event } from '../../../src/core/commit.ts';
import { clientEvents, contractEvents, moreContractEvents } from './client.ts';
import { jobEvents, minerEvents } from './miner.ts';
import { moreNetworkEvents, networkEvents, roundEvents, roundWalks } from './network.ts';
import { moreOracleEvents, moreWatchEvents, oracleEvents, watchEvents } from './oracle.ts';
import { allRouterEvents, batchEvents, nodeEvents, registryEvents, taskEvents } from './router.ts';
import { changeEvents, moreSessionEvents, sessionEvents } from './session.ts';
import {
  appealedOutcome,
  batchedTask,
  claimedPlaces,
  joinedStreams,
  loneMiner,
  longQueue,
  lostAssignment,
  pairOfMiners,
  stepOfPlan,
} from './task.ts';
import { hearingEvents, hearingValidatorEvents, validationEvents, validatorEvents } from './validator.ts';

/** Sets of events, each of which leads its machine through finitely many states; together through all it has. */
export const boundedEvents: Readonly<Record<MachineName, readonly (readonly Event[])[]>> = {
  session: [sessionEvents, changeEvents],
  task: [
    pairOfMiners,
    joinedStreams,
    lostAssignment,
    loneMiner,
    longQueue,
    claimedPlaces,
    batchedTask,
    appealedOutcome,
    stepOfPlan,
  ],
  miner: [minerEvents],
  job: [jobEvents],
  validator: [validatorEvents, hearingValidatorEvents],
  validation: [validationEvents],
  hearing: [hearingEvents],
  oracle: [oracleEvents],
  watch: [watchEvents],
  router: [nodeEvents, registryEvents, taskEvents, batchEvents],
  client: [clientEvents],
  contract: [contractEvents],
  network: [networkEvents],
  round: roundWalks,
};

/** At least one event of every type of each machine, for random walks. */
export const allEvents: Readonly<Record<MachineName, readonly Event[]>> = {
  session: moreSessionEvents,
  task: [
    ...pairOfMiners,
    ...loneMiner,
    ...joinedStreams,
    ...lostAssignment,
    ...longQueue,
    ...claimedPlaces,
    ...batchedTask,
    ...appealedOutcome,
    ...stepOfPlan,
  ],
  miner: minerEvents,
  job: jobEvents,
  validator: [...validatorEvents, ...hearingEvents],
  validation: validationEvents,
  hearing: hearingEvents,
  oracle: moreOracleEvents,
  watch: moreWatchEvents,
  router: allRouterEvents,
  client: [...clientEvents, ...moreContractEvents],
  contract: moreContractEvents,
  network: moreNetworkEvents,
  round: roundEvents,
};
