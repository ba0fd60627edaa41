import type { ChainPlace } from '../../src/core/chain-fact.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import type { RoundFailure } from '../../src/core/round-fact.ts';
import { type SeenAt, seenAt } from '../task/seen.ts';
import type { FactMark, PartRole } from './context.ts';

/** When rounds begin and how long a standby has, in milliseconds; the chain has the other deadlines in its facts. */
export type RoundTimes = {
  /** When the first slot begins, milliseconds since 1970. */
  readonly startsAt: number;
  readonly slotMs: number;
  readonly createMs: number;
  readonly prepareMs: number;
};

/** Where a fact stands, with its place among those of its block. */
export type RoundSeen = SeenAt & { readonly logIndex: number };

/** The part of a fact's place that the log keeps of rounds. */
export function roundSeen(place: ChainPlace): RoundSeen {
  return { ...seenAt(place), logIndex: place.logIndex };
}

/** The node takes part from now on: an oracle drives rounds, the others want to be in their pool. */
export type PartTaken = {
  readonly type: 'PartTaken';
  readonly node: Address;
  readonly role: PartRole;
  readonly times: RoundTimes;
  /** Facts up to here are not wanted. */
  readonly from: FactMark;
  /** Rounds before this one were over. */
  readonly firstRound: number;
};
/** The node wants no more rounds; what it was drawn for it still does. */
export type PartLeft = { readonly type: 'PartLeft' };
/** It tries once more to get into the pool. */
export type JoinWanted = { readonly type: 'JoinWanted' };
/** The chain would not have it in the pool; it tries again at `joinAt`. */
export type JoinFailed = {
  readonly type: 'JoinFailed';
  readonly code: string;
  readonly reason: string;
  readonly joinAt: number;
};
/** It is in the pool; `seen` is null where it was found there. */
export type PoolEntered = { readonly type: 'PoolEntered'; readonly seen: RoundSeen | null };
/** It is out of the pool; where it did not want that, it tries to get in again at `joinAt`. */
export type PoolExited = { readonly type: 'PoolExited'; readonly joinAt: number; readonly seen: RoundSeen | null };
/** A slot has begun for which an oracle wants a round. */
export type SlotBegun = { readonly type: 'SlotBegun'; readonly slot: number };
/** A reorg has taken facts back; those after the mark that are told now are new. */
export type FactsReverted = { readonly type: 'FactsReverted'; readonly block: number; readonly logIndex: number };

type OfRound = { readonly round: number };
type Fact = OfRound & { readonly seen: RoundSeen };

/** A round was asked for. `me` and `as` say whose stream this is. */
export type RoundRequested = Fact & {
  readonly type: 'RoundRequested';
  readonly me: Address;
  readonly as: PartRole;
  readonly beaconBlock: number;
  readonly drawBy: number;
};
/** It is drawn who makes topic and questions. */
export type CrewDrawn = Fact & {
  readonly type: 'CrewDrawn';
  readonly creator: Address;
  readonly preparer: Address;
  readonly createBy: number;
};
/** The round has its topic. */
export type RoundCreated = Fact & {
  readonly type: 'RoundCreated';
  readonly topicDigest: Hex;
  readonly prepareBy: number;
};
/** The round has its questions. */
export type RoundPrepared = Fact & {
  readonly type: 'RoundPrepared';
  readonly questionsDigest: Hex;
  readonly beaconBlock: number;
  readonly drawBy: number;
};
/** It is drawn who answers and who judges. */
export type RoundStarted = Fact & {
  readonly type: 'RoundStarted';
  readonly miners: readonly Address[];
  readonly validators: readonly Address[];
  readonly precommitBy: number;
};
/** The chain has this node's precommit. */
export type AnswerPrecommitted = Fact & { readonly type: 'AnswerPrecommitted' };
/** All who answer are bound. */
export type AnswersPrecommitted = Fact & { readonly type: 'AnswersPrecommitted'; readonly revealBy: number };
/** A miner has shown its answers. */
export type AnswerRevealed = Fact & {
  readonly type: 'AnswerRevealed';
  readonly miner: Address;
  readonly resultRoot: Hex;
  readonly resultDigest: Hex;
};
/** All answers are shown that will be. */
export type AnswersRevealed = Fact & { readonly type: 'AnswersRevealed'; readonly validateBy: number };
/** A creator or preparer was silent, or this node was; `phaseBy` is the new deadline where somebody stands in. */
export type NodeMissed = Fact & {
  readonly type: 'NodeMissed';
  readonly node: Address;
  readonly replacement: Address | null;
  readonly phaseBy: number;
};
/** The round has its data set. */
export type RoundEnded = Fact & {
  readonly type: 'RoundEnded';
  readonly datasetDigest: Hex;
  readonly honest: number;
};
/** The round came to nothing. */
export type RoundFailed = Fact & { readonly type: 'RoundFailed'; readonly reason: RoundFailure };
/** The chain has credited this node. */
export type IdleWorkCredited = Fact & {
  readonly type: 'IdleWorkCredited';
  readonly epoch: number;
  readonly credits: number;
};

/** This node has made the topic. */
export type TopicMade = OfRound & { readonly type: 'TopicMade'; readonly topic: Cid };
/** This node has made the questions. */
export type QuestionsMade = OfRound & { readonly type: 'QuestionsMade'; readonly questions: Cid };
/** This node has its answers. The salt that hides them until the reveal follows from its key and is nowhere. */
export type AnswersMade = OfRound & { readonly type: 'AnswersMade'; readonly resultRoot: Hex; readonly result: Cid };
/** This node has judged the answers; `honest` has bit i for the i-th of the miners drawn. */
export type RoundJudged = OfRound & { readonly type: 'RoundJudged'; readonly honest: number; readonly dataset: Cid };
/** A step of this node came to nothing. */
export type StepFailed = OfRound & {
  readonly type: 'StepFailed';
  readonly step: string;
  readonly code: string;
  readonly reason: string;
};

/** Every event of a round. */
export type RoundEvent =
  | RoundRequested
  | CrewDrawn
  | RoundCreated
  | RoundPrepared
  | RoundStarted
  | AnswerPrecommitted
  | AnswersPrecommitted
  | AnswerRevealed
  | AnswersRevealed
  | NodeMissed
  | RoundEnded
  | RoundFailed
  | IdleWorkCredited
  | TopicMade
  | QuestionsMade
  | AnswersMade
  | RoundJudged
  | StepFailed;

/** The names of round events, for routing them to the round machine. */
export const roundEventTypes = [
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
  'TopicMade',
  'QuestionsMade',
  'AnswersMade',
  'RoundJudged',
  'StepFailed',
] as const satisfies readonly RoundEvent['type'][];

/** Every event of a node's part in idle rounds. */
export type NetworkEvent =
  | PartTaken
  | PartLeft
  | JoinWanted
  | JoinFailed
  | PoolEntered
  | PoolExited
  | SlotBegun
  | FactsReverted
  | RoundEvent;
