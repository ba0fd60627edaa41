import { cidToDigest } from '../../src/core/cid.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import type { PoolRole } from '../../src/core/round-fact.ts';
import type { NetworkContext, PartRole, RoundContext, ShownAnswers } from './context.ts';
import type {
  AnswersMade,
  AnswersPrecommitted,
  AnswersRevealed,
  CrewDrawn,
  NodeMissed,
  QuestionsMade,
  RoundCreated,
  RoundJudged,
  RoundPrepared,
  RoundRequested,
  RoundStarted,
  SlotBegun,
  TopicMade,
} from './events.ts';

type OfRound = { readonly round: number };

/** Get into the pool once nothing is in hand. */
export type JoinPool = { readonly kind: 'joinPool'; readonly role: PoolRole };
/** Get out of it. */
export type QuitPool = { readonly kind: 'quitPool'; readonly role: PoolRole };
/** Ask for the round of a slot, in this oracle's turn. */
export type RequestRound = { readonly kind: 'requestRound'; readonly slot: number };
/** See to it that a phase of a round ends: draw once the beacon is there, or use the deadline. */
export type DriveRound = OfRound & {
  readonly kind: 'driveRound';
  readonly phase: string;
  readonly phaseBy: number;
  /** The block of the draw that is awaited; 0 where none is. */
  readonly beaconBlock: number;
};
/** Make a topic, store it, and answer with `TellTopic`. */
export type MakeTopic = OfRound & { readonly kind: 'makeTopic' };
/** Bring the topic to the chain. */
export type CreateRound = OfRound & { readonly kind: 'createRound'; readonly topicDigest: Hex };
/** Make questions from the topic, store them, and answer with `TellQuestions`. */
export type MakeQuestions = OfRound & { readonly kind: 'makeQuestions'; readonly topicDigest: Hex };
/** Bring the questions to the chain. */
export type PrepareRound = OfRound & { readonly kind: 'prepareRound'; readonly questionsDigest: Hex };
/** Answer the questions, store the answers, and answer with `TellAnswers`. */
export type MakeAnswers = OfRound & { readonly kind: 'makeAnswers'; readonly questionsDigest: Hex };
/** Bind this node to its answers. */
export type PrecommitAnswers = OfRound & { readonly kind: 'precommitAnswers'; readonly resultRoot: Hex };
/** Show them. */
export type RevealAnswers = OfRound & {
  readonly kind: 'revealAnswers';
  readonly resultRoot: Hex;
  readonly resultDigest: Hex;
};
/** Compare the answers, store the data set, and answer with `TellJudgement`. */
export type JudgeRound = OfRound & {
  readonly kind: 'judgeRound';
  readonly creator: Address;
  readonly preparer: Address;
  readonly topicDigest: Hex;
  readonly questionsDigest: Hex;
  readonly miners: readonly Address[];
  readonly shown: readonly ShownAnswers[];
};
/** Gather the signatures of the other validators, in this one's turn, and end the round. */
export type EndRound = OfRound & {
  readonly kind: 'endRound';
  readonly dataset: Cid;
  readonly honest: number;
  readonly validators: readonly Address[];
};

/** Every effect of a node's part in idle rounds. */
export type NetworkEffect =
  | JoinPool
  | QuitPool
  | RequestRound
  | DriveRound
  | MakeTopic
  | CreateRound
  | MakeQuestions
  | PrepareRound
  | MakeAnswers
  | PrecommitAnswers
  | RevealAnswers
  | JudgeRound
  | EndRound;

type In<Event> = Seen<RoundContext, Event>;

/** A node that is no oracle gets into its pool. */
export function join({ context }: Seen<NetworkContext, unknown>): NetworkEffect[] {
  return context.role === 'oracle' ? [] : [{ kind: 'joinPool', role: context.role }];
}

/** A node that is no oracle gets out of it. */
export function quit({ context }: Seen<NetworkContext, unknown>): NetworkEffect[] {
  return context.role === 'oracle' ? [] : [{ kind: 'quitPool', role: context.role }];
}

/** The round of a slot is wanted. */
export function request({ event }: Seen<NetworkContext, SlotBegun>): NetworkEffect[] {
  return [{ kind: 'requestRound', slot: event.slot }];
}

function drive(context: RoundContext, phase: string, phaseBy: number, beaconBlock = 0): NetworkEffect[] {
  return context.as === 'oracle' ? [{ kind: 'driveRound', round: context.round, phase, phaseBy, beaconBlock }] : [];
}

/** Whether this is the node that was drawn, and in the role in which it takes part. */
function isOwn({ me, as }: RoundContext, node: Address | null, role: PartRole): boolean {
  return me !== null && node === me && as === role;
}

/** An oracle draws the crew. */
export function afterRequest({ event }: In<RoundRequested>): NetworkEffect[] {
  const { round, as, drawBy, beaconBlock } = event;
  return as === 'oracle' ? [{ kind: 'driveRound', round, phase: 'requested', phaseBy: drawBy, beaconBlock }] : [];
}

/** Who was drawn for the topic makes it. */
export function afterCrew({ context, event }: In<CrewDrawn>): NetworkEffect[] {
  const { round, creator, createBy } = event;
  return [
    ...drive(context, 'creating', createBy),
    ...(isOwn(context, creator, 'miner') ? [{ kind: 'makeTopic', round } as const] : []),
  ];
}

/** A topic goes to the chain. */
export function afterTopic({ event: { round, topic } }: In<TopicMade>): NetworkEffect[] {
  return [{ kind: 'createRound', round, topicDigest: cidToDigest(topic) }];
}

/** Who was drawn for the questions makes them. */
export function afterCreated({ context, event }: In<RoundCreated>): NetworkEffect[] {
  const { round, topicDigest, prepareBy } = event;
  return [
    ...drive(context, 'preparing', prepareBy),
    ...(isOwn(context, context.preparer, 'miner') ? [{ kind: 'makeQuestions', round, topicDigest } as const] : []),
  ];
}

/** Questions go to the chain. */
export function afterQuestions({ event: { round, questions } }: In<QuestionsMade>): NetworkEffect[] {
  return [{ kind: 'prepareRound', round, questionsDigest: cidToDigest(questions) }];
}

/** An oracle draws who answers and who judges. */
export function afterPrepared({ context, event }: In<RoundPrepared>): NetworkEffect[] {
  return drive(context, 'prepared', event.drawBy, event.beaconBlock);
}

/** Who was drawn to answer does. */
export function afterStart({ context, event }: In<RoundStarted>): NetworkEffect[] {
  const { round, miners, precommitBy } = event;
  const { me, questionsDigest } = context;
  const isDrawn = me !== null && context.as === 'miner' && miners.includes(me) && questionsDigest !== null;
  return [
    ...drive(context, 'answering', precommitBy),
    ...(isDrawn ? [{ kind: 'makeAnswers', round, questionsDigest } as const] : []),
  ];
}

/** Answers are bound before they are shown. */
export function afterAnswers({ event: { round, resultRoot } }: In<AnswersMade>): NetworkEffect[] {
  return [{ kind: 'precommitAnswers', round, resultRoot }];
}

/** Who is bound shows its answers once all are. */
export function afterBound({ context, event }: In<AnswersPrecommitted>): NetworkEffect[] {
  const { round, revealBy } = event;
  const { answers, isBound } = context;
  const driven = drive(context, 'revealing', revealBy);
  if (answers === null || !isBound) return driven;
  const { resultRoot, result } = answers;
  return [...driven, { kind: 'revealAnswers', round, resultRoot, resultDigest: cidToDigest(result) }];
}

/** Who was drawn to judge does. */
export function afterShown({ context, event }: In<AnswersRevealed>): NetworkEffect[] {
  const { round, validateBy } = event;
  const { me, validators, creator, preparer, topicDigest, questionsDigest, miners, shown } = context;
  const driven = drive(context, 'validating', validateBy);
  const isDrawn = me !== null && context.as === 'validator' && validators.includes(me);
  if (!isDrawn || creator === null || preparer === null || topicDigest === null || questionsDigest === null)
    return driven;
  const made = { creator, preparer, topicDigest, questionsDigest };
  return [...driven, { kind: 'judgeRound', round, ...made, miners, shown }];
}

/** A judgement is brought to the chain with those of others. */
export function afterJudgement({ context, event }: In<RoundJudged>): NetworkEffect[] {
  const { round, dataset, honest } = event;
  return [{ kind: 'endRound', round, dataset, honest, validators: context.validators }];
}

/** Who stands in for a silent creator makes the topic. */
export function afterMissedTopic({ context, event }: In<NodeMissed>): NetworkEffect[] {
  const { round, replacement, phaseBy } = event;
  if (replacement === null) return [];
  const own = isOwn(context, replacement, 'miner') ? [{ kind: 'makeTopic', round } as const] : [];
  return [...drive(context, 'creating', phaseBy), ...own];
}

/** Who stands in for a silent preparer makes the questions. */
export function afterMissedQuestions({ context, event }: In<NodeMissed>): NetworkEffect[] {
  const { round, replacement, phaseBy } = event;
  const { topicDigest } = context;
  if (replacement === null || topicDigest === null) return [];
  const own = isOwn(context, replacement, 'miner') ? [{ kind: 'makeQuestions', round, topicDigest } as const] : [];
  return [...drive(context, 'preparing', phaseBy), ...own];
}
