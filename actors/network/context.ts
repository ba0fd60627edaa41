import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import type { RoundState } from '../../src/core/round-fact.ts';
import type { RoundTimes } from './events.ts';

/** The states of a node's part in idle rounds. Oracles drive; the others are in a pool, on their way in or out, or not. */
export const networkStates = ['off', 'out', 'joining', 'member', 'leaving', 'driving'] as const;

/** What a node is in a round. */
export type PartRole = 'miner' | 'validator' | 'oracle';

/** A miner's answers as the chain has them. */
export type ShownAnswers = { readonly miner: Address; readonly resultRoot: Hex; readonly resultDigest: Hex };

/** What a node knows of the newest round, and what it has done in it. */
export type RoundContext = {
  readonly round: number;
  readonly me: Address | null;
  readonly as: PartRole;
  /** The deadline of the phase, milliseconds since 1970. */
  readonly phaseBy: number;
  /** The block whose hash decides the draw that is awaited. */
  readonly beaconBlock: number;
  readonly creator: Address | null;
  readonly preparer: Address | null;
  readonly topicDigest: Hex | null;
  readonly questionsDigest: Hex | null;
  /** Who answers and who judges, in the order drawn. */
  readonly miners: readonly Address[];
  readonly validators: readonly Address[];
  /** Whether the chain has this node's precommit. */
  readonly isBound: boolean;
  /** Answers that were shown; all of them where this node judges, else its own. */
  readonly shown: readonly ShownAnswers[];
  /** This node's answers; null before it has made them. */
  readonly answers: { readonly resultRoot: Hex; readonly result: Cid } | null;
  /** This node's judgement; null before it has one. */
  readonly judgement: { readonly honest: number; readonly dataset: Cid } | null;
  /** Whether this node missed what it was drawn for. */
  readonly hasMissed: boolean;
  /** Why the newest of its steps that came to nothing did. */
  readonly failure: { readonly step: string; readonly code: string; readonly reason: string } | null;
  /** The data set of a round that ended. */
  readonly datasetDigest: Hex | null;
  readonly credits: number;
};

/** Where on the chain the newest fact was that was taken. */
export type FactMark = { readonly block: number; readonly logIndex: number };

/** Everything a node remembers of idle rounds. */
export type NetworkContext = {
  readonly node: Address | null;
  readonly role: PartRole;
  readonly times: RoundTimes;
  /** Facts up to here are known. */
  readonly seenTo: FactMark;
  /** Rounds before this one are none of its. */
  readonly firstRound: number;
  /** The newest round; null before the first. */
  readonly round: Folded<RoundContext> | null;
  /** The newest slot whose round an oracle has seen or wanted. */
  readonly slot: number;
  /** When a node that is out tries to get in, milliseconds since 1970. */
  readonly joinAt: number;
};

/** The states of a round, as the chain names them; `new` before its first fact. */
export type RoundValue = Exclude<RoundState, 'none'> | 'new';

/** The context of a round before its first event. */
export const emptyRound: RoundContext = {
  round: 0,
  me: null,
  as: 'miner',
  phaseBy: 0,
  beaconBlock: 0,
  creator: null,
  preparer: null,
  topicDigest: null,
  questionsDigest: null,
  miners: [],
  validators: [],
  isBound: false,
  shown: [],
  answers: null,
  judgement: null,
  hasMissed: false,
  failure: null,
  datasetDigest: null,
  credits: 0,
};

/** The context of a node's part before its first event. */
export const emptyNetwork: NetworkContext = {
  node: null,
  role: 'miner',
  times: { startsAt: 0, slotMs: 0, createMs: 0, prepareMs: 0 },
  seenTo: { block: 0, logIndex: -1 },
  firstRound: 0,
  round: null,
  slot: 0,
  joinAt: 0,
};
