import { type DecodeEventLogReturnType, toEventSelector } from 'viem';
import { assert } from '../../core/assert.ts';
import type { ChainFactBody } from '../../ports/chain.ts';
import {
  anchorsAbi,
  appealsAbi,
  batchDemandsAbi,
  batchesAbi,
  networkAbi,
  parametersAbi,
  queueAbi,
  registryAbi,
  sessionsAbi,
} from './abi.ts';

/** The events that are facts to the network; the others are the contracts' own business. */
const factNames = [
  'NodeRegistered',
  'NodeActiveSet',
  'ModelServed',
  'ModelDropped',
  'NodeCooledDown',
  'NodeLevelSet',
  'AccessSet',
  'ExclusiveSet',
  'MaxWeightsSet',
  'StakeAdded',
  'StakeSlashed',
  'UnstakeRequested',
  'StakeWithdrawn',
  'EarningsWithdrawn',
  'SessionOpened',
  'SessionDeposited',
  'SessionUpdated',
  'SessionTransferred',
  'SessionDeactivated',
  'SessionReactivated',
  'SessionRouterAdded',
  'SessionRouterRemoved',
  'SessionMinerAdded',
  'SessionMinerRemoved',
  'SessionDraining',
  'SessionClosed',
  'TaskSubmitted',
  // To those who hear of it a step is a task that is submitted.
  'StepSubmitted',
  'MinersAssigned',
  'TaskAcked',
  'TaskPrecommitted',
  'AllPrecommitted',
  'TaskRevealed',
  'AllRevealed',
  'MinerReassigned',
  'ResultAttested',
  'ResultValidated',
  'TaskSettled',
  'TaskRefunded',
  'OutcomeAppealed',
  'AppealDecided',
  'AppealUndecided',
  'AppealDrawn',
  'AppealAttested',
  'AppealWithdrawn',
  'LogAnchored',
  'BatchPrecommitted',
  'BatchRevealed',
  'BatchPosted',
  'LeafDemanded',
  'BatchFinal',
  'BatchVoid',
  'PoolJoined',
  'PoolLeft',
  'RoundRequested',
  'CrewDrawn',
  'RoundCreated',
  'RoundPrepared',
  'RoundStarted',
  'AnswerPrecommitted',
  'AnswersPrecommitted',
  'AnswerRevealed',
  'AnswersRevealed',
  'NodeMissed',
  'RoundEnded',
  'RoundFailed',
  'IdleWorkCredited',
] as const satisfies readonly (ChainFactBody['type'] | 'StepSubmitted')[];

type FactName = (typeof factNames)[number];
/** An event that is a fact. */
export type ContractEvent = Extract<
  (
    | typeof registryAbi
    | typeof parametersAbi
    | typeof sessionsAbi
    | typeof queueAbi
    | typeof appealsAbi
    | typeof anchorsAbi
    | typeof batchesAbi
    | typeof batchDemandsAbi
    | typeof networkAbi
  )[number],
  { readonly type: 'event'; readonly name: FactName }
>;

const factEvents: readonly ContractEvent[] = [
  ...registryAbi,
  ...parametersAbi,
  ...sessionsAbi,
  ...queueAbi,
  ...appealsAbi,
  ...anchorsAbi,
  ...batchesAbi,
  ...batchDemandsAbi,
  ...networkAbi,
].filter((item): item is ContractEvent => item.type === 'event' && factNames.some((name) => name === item.name));
assert(factEvents.length === factNames.length, 'every fact has its event');
/** The events that are facts, by the first topic of their logs. */
export const eventBySelector = new Map(factEvents.map((event) => [toEventSelector(event), event]));

/** An event that is a fact, decoded. */
export type Decoded = DecodeEventLogReturnType<readonly ContractEvent[]>;

/** The value of an enum of the contracts. */
export function at<T>(names: readonly T[], index: number): T {
  const name = names[index];
  assert(name !== undefined, `the contracts have a value ${index} that this adapter does not know`);
  return name;
}
