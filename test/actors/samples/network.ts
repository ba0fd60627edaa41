import type { NetworkEvent, RoundEvent } from '../../../actors/network/events.ts';
import { contentCid } from '../../../src/core/cid.ts';
import { alice, bob, bytes32, carol, dave, genesisAt, olga, seen, vera } from '../chain-facts.ts';

const round = 7;
/** Where a fact of the round was seen. */
const at = (block: number, logIndex = 0) => ({ round, seen: { ...seen(block, logIndex), logIndex } });
const content = (text: string) => contentCid({ text });

/** A round that ends well, as one of its nodes sees it. */
export const roundGood = {
  requested: {
    type: 'RoundRequested',
    ...at(10),
    me: alice,
    as: 'miner',
    beaconBlock: 12,
    drawBy: genesisAt + 130_000,
  },
  drawn: { type: 'CrewDrawn', ...at(13), creator: alice, preparer: bob, createBy: genesisAt + 73_000 },
  topic: { type: 'TopicMade', round, topic: content('topic') },
  created: { type: 'RoundCreated', ...at(14), topicDigest: bytes32(1), prepareBy: genesisAt + 74_000 },
  questions: { type: 'QuestionsMade', round, questions: content('questions') },
  prepared: {
    type: 'RoundPrepared',
    ...at(15),
    questionsDigest: bytes32(2),
    beaconBlock: 17,
    drawBy: genesisAt + 135_000,
  },
  started: {
    type: 'RoundStarted',
    ...at(18),
    miners: [carol, dave],
    validators: [vera],
    precommitBy: genesisAt + 138_000,
  },
  answers: { type: 'AnswersMade', round, resultRoot: bytes32(3), result: content('answers') },
  bound: { type: 'AnswerPrecommitted', ...at(19) },
  allBound: { type: 'AnswersPrecommitted', ...at(20), revealBy: genesisAt + 50_000 },
  shown: { type: 'AnswerRevealed', ...at(21), miner: carol, resultRoot: bytes32(3), resultDigest: bytes32(4) },
  allShown: { type: 'AnswersRevealed', ...at(22), validateBy: genesisAt + 82_000 },
  judged: { type: 'RoundJudged', round, honest: 1, dataset: content('data set') },
  ended: { type: 'RoundEnded', ...at(23), datasetDigest: bytes32(5), honest: 1 },
  credited: { type: 'IdleWorkCredited', ...at(23, 1), epoch: 1, credits: 4 },
} as const satisfies Record<string, RoundEvent>;

/** A silent creator, whom the preparer stands in for, and the round's failure. */
export const roundBad = {
  missed: { type: 'NodeMissed', ...at(16), node: alice, replacement: bob, phaseBy: genesisAt + 76_000 },
  failedStep: { type: 'StepFailed', round, step: 'createRound', code: 'chain_reverted', reason: 'WrongRoundState' },
  failed: { type: 'RoundFailed', ...at(24), reason: 'no-topic' },
} as const satisfies Record<string, RoundEvent>;

const { requested, drawn, topic, created, questions, prepared, started, answers, bound, allBound } = roundGood;
const { shown, allShown, judged, ended, credited } = roundGood;
const { missed, failedStep, failed } = roundBad;

/** Bounded sets of events: how a round gets its questions, how they are answered, and how it ends. */
export const roundWalks: readonly (readonly RoundEvent[])[] = [
  [requested, drawn, topic, created, questions, prepared, missed, failed],
  [requested, started, answers, bound, allBound, shown, allShown, judged, ended],
  [requested, ended, credited, failedStep, failed],
];

/** Every event of a round. */
export const roundEvents: readonly RoundEvent[] = [...Object.values(roundGood), ...Object.values(roundBad)];

const times = { startsAt: genesisAt, slotMs: 600_000, createMs: 60_000, prepareMs: 60_000 };

/** The same for a node's part with little of a round, which is walked by itself. */
export const networkEvents: readonly NetworkEvent[] = [
  { type: 'PartTaken', node: alice, role: 'miner', times, from: { block: 5, logIndex: 0 }, firstRound: 7 },
  { type: 'PartTaken', node: olga, role: 'oracle', times, from: { block: 5, logIndex: 0 }, firstRound: 7 },
  { type: 'PartLeft' },
  { type: 'JoinWanted' },
  { type: 'JoinFailed', code: 'chain_reverted', reason: 'PoolFull', joinAt: genesisAt + 600_000 },
  { type: 'PoolEntered', seen: { ...seen(6), logIndex: 0 } },
  { type: 'PoolExited', joinAt: genesisAt + 700_000, seen: { ...seen(25), logIndex: 0 } },
  { type: 'SlotBegun', slot: 7 },
  { type: 'FactsReverted', block: 9, logIndex: -1 },
  roundGood.requested,
  roundBad.failed,
];

/** What a random walk may add: the whole round. */
export const moreNetworkEvents: readonly NetworkEvent[] = [...networkEvents, ...roundEvents];
