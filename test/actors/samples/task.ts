import { contentCid } from '../../../src/core/cid.ts';
import { wei } from '../../../src/core/wei.ts';
import type { TaskEvent } from '../../../actors/task/events.ts';
import { taskId } from '../../../src/core/ids.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  client,
  genesisAt,
  olga,
  prompt,
  seen,
  session,
  task,
  vera,
} from '../chain-facts.ts';

export const result = contentCid({ kind: 'result' });
export const report = contentCid({ kind: 'report' });
export const manifest = contentCid({ kind: 'manifest' });
export const proof = contentCid({ kind: 'selection' });
export const escrowWei = wei(50);

/** A task's submission by a router, not on chain yet. */
export const submitted = {
  type: 'TaskSubmitted',
  task,
  requestId: bytes32(1),
  by: client,
  prompt,
  model: 'pebble-chat',
  maxTokens: 16,
  maxPriceWei: escrowWei,
  redundancy: 2,
  validators: 1,
  similarityBps: 8_000,
  level: 1,
  expiresAt: genesisAt + 60_000,
  seen: null,
} as const satisfies TaskEvent;

/** The events of a task that goes well with two miners, by their names. */
export const good = {
  queued: { type: 'TaskQueuedOnChain', task, escrowWei, seen: seen(1) },
  selected: {
    type: 'MinersSelected',
    task,
    beaconBlock: 2,
    beacon: bytes32(2),
    candidates: [
      { node: alice, weight: 1 },
      { node: bob, weight: 1 },
      { node: carol, weight: 1 },
    ],
    validatorCandidates: [{ node: vera, weight: 1 }],
    miners: [alice, bob],
    validators: [vera],
    ranking: [alice, bob, carol],
    proof,
  },
  assigned: {
    type: 'MinersAssigned',
    task,
    miners: [alice, bob],
    validators: [vera],
    ackBy: genesisAt + 8_000,
    seen: seen(3),
  },
  ackedByAlice: { type: 'TaskAcked', task, miner: alice, precommitBy: genesisAt + 34_000, seen: seen(4) },
  ackedByBob: { type: 'TaskAcked', task, miner: bob, precommitBy: genesisAt + 35_000, seen: seen(5) },
  precommittedByAlice: { type: 'TaskPrecommitted', task, miner: alice, hash: bytes32(6), seen: seen(6) },
  precommittedByBob: { type: 'TaskPrecommitted', task, miner: bob, hash: bytes32(7), seen: seen(7) },
  allPrecommitted: { type: 'AllPrecommitted', task, revealBy: genesisAt + 17_000, seen: seen(7) },
  revealedByAlice: {
    type: 'TaskCommitted',
    task,
    miner: alice,
    resultRoot: bytes32(8),
    result,
    streamed: 'match',
    seen: seen(8),
  },
  revealedByBob: {
    type: 'TaskCommitted',
    task,
    miner: bob,
    resultRoot: bytes32(9),
    result,
    streamed: 'unseen',
    seen: seen(9),
  },
  allCommitted: { type: 'AllCommitted', task, attestBy: genesisAt + 29_000, seen: seen(9) },
  validated: {
    type: 'ResultValidated',
    task,
    winner: alice,
    honest: [alice, bob],
    outliers: [],
    scores: [],
    report,
    promptTokens: 6,
    outputTokens: 10,
    seen: seen(10),
  },
  settled: {
    type: 'TaskSettled',
    task,
    priceWei: wei(26),
    returnedWei: wei(24),
    payments: [],
    manifest,
    seen: seen(11),
  },
} as const satisfies Record<string, TaskEvent>;

/** What can go wrong or be asked for beside that. */
export const detours = {
  refused: { type: 'SelectionRefused', task, reason: 'BeaconUnknown' },
  timedOut: {
    type: 'MinerTimedOut',
    task,
    miner: bob,
    replacement: carol,
    attempt: 1,
    oracle: olga,
    ackBy: genesisAt + 20_000,
    seen: seen(12),
  },
  dropped: {
    type: 'MinerTimedOut',
    task,
    miner: carol,
    replacement: null,
    attempt: 1,
    oracle: olga,
    ackBy: 0,
    seen: seen(13),
  },
  ackedByCarol: { type: 'TaskAcked', task, miner: carol, precommitBy: genesisAt + 50_000, seen: seen(13) },
  joined: { type: 'PrimaryReplaced', task, from: alice, to: bob, deliveredTokens: 3, prefixHash: 'abc' },
  cancelled: { type: 'TaskCancelRequested', task, reason: 'not needed' },
  failed: { type: 'TaskFailed', task, code: 'task_expired', reason: 'expired' },
  refunded: { type: 'TaskRefunded', task, returnedWei: escrowWei, reason: 'expired', seen: seen(14) },
  appealed: {
    type: 'OutcomeAppealed',
    task,
    appellant: bob,
    bondWei: wei(10),
    attestBy: genesisAt + 60_000,
    seen: seen(11),
  },
  overturned: {
    type: 'AppealDecided',
    task,
    overturned: true,
    winner: bob,
    honest: [bob],
    outliers: [alice],
    report: manifest,
    promptTokens: 6,
    outputTokens: 9,
    seen: seen(12),
  },
  upheld: {
    type: 'AppealDecided',
    task,
    overturned: false,
    winner: alice,
    honest: [alice],
    outliers: [bob],
    report: manifest,
    promptTokens: 6,
    outputTokens: 10,
    seen: seen(12),
  },
  undecided: { type: 'AppealUndecided', task, seen: seen(12) },
  reverted: { type: 'AssignmentReverted', task, restoreBy: genesisAt + 90_000, seen: seen(3) },
  restored: { type: 'AssignmentRestored', task, seen: seen(15) },
  lost: { type: 'AssignmentLost', task, priceWei: wei(26), returnedWei: wei(24) },
  timerSet: { type: 'TimerSet', task, timer: 'queue', at: genesisAt + 60_000 },
  timerFired: { type: 'TimerFired', task, timer: 'queue' },
} as const satisfies Record<string, TaskEvent>;

const submittedOnChain = { ...submitted, seen: seen(1) } as const;

/** Both places of the task are claimed, one of them again after its first claim came to nothing. */
export const claims = {
  byAlice: { type: 'OfferClaimed', task, miner: alice, place: 0, offer: 'a', at: genesisAt + 10, signature: 's' },
  byBob: { type: 'OfferClaimed', task, miner: bob, place: 1, offer: 'b', at: genesisAt + 20, signature: 's' },
  lapsed: { type: 'ClaimLapsed', task, miner: alice, at: genesisAt + 30, reason: 'silent' },
  selected: { ...good.selected, scheme: 'first-come', miners: [bob, alice], ranking: [bob, alice, carol] },
} as const satisfies Record<string, TaskEvent>;

/** A task whose places are claimed, whose claims come to nothing, and that is chosen miners for again. */
export const claimedPlaces: readonly TaskEvent[] = [
  submittedOnChain,
  claims.byAlice,
  claims.byBob,
  claims.lapsed,
  claims.selected,
  good.assigned,
  detours.refused,
  detours.failed,
  detours.refunded,
];

/** Two miners side by side, and a failure at any time. */
export const pairOfMiners: readonly TaskEvent[] = [
  submitted,
  good.queued,
  good.selected,
  good.assigned,
  good.ackedByAlice,
  good.ackedByBob,
  good.precommittedByAlice,
  good.precommittedByBob,
  good.allPrecommitted,
  good.allCommitted,
  good.validated,
  good.settled,
  detours.failed,
  detours.refunded,
];

const first = taskId(session, bytes32(71));
const second = taskId(session, bytes32(72));

/** A task that comes after two others, which end well or do not. */
export const stepOfPlan: readonly TaskEvent[] = [
  {
    ...submitted,
    step: 1,
    after: [
      { name: 'a', task: first },
      { name: 'b', task: second },
    ],
    plan: { id: bytes32(70), name: 'c', place: 2 },
  },
  good.queued,
  { type: 'ParentSettled', task, parent: first, result },
  { type: 'ParentSettled', task, parent: second, result, ready: { block: 2, expiresAt: genesisAt + 60_000 } },
  { type: 'ParentFailed', task, parent: second },
  { ...detours.timerSet },
  detours.timerFired,
  good.selected,
  detours.refused,
  good.assigned,
  detours.failed,
  detours.refunded,
];

/** Another miner's words go on where the first one's stopped. */
export const joinedStreams: readonly TaskEvent[] = [
  submittedOnChain,
  good.assigned,
  good.ackedByBob,
  good.allPrecommitted,
  good.revealedByAlice,
  good.revealedByBob,
  good.allCommitted,
  good.validated,
  good.settled,
  detours.joined,
];

/** A reorg takes the assignment back, at any time. */
export const lostAssignment: readonly TaskEvent[] = [
  submittedOnChain,
  good.assigned,
  good.ackedByAlice,
  good.allPrecommitted,
  good.allCommitted,
  good.validated,
  good.settled,
  detours.reverted,
  detours.restored,
  detours.lost,
  detours.refunded,
];

/** One miner that is replaced, and a client that cancels. */
export const loneMiner: readonly TaskEvent[] = [
  submittedOnChain,
  { ...good.assigned, miners: [bob] },
  good.ackedByBob,
  good.precommittedByBob,
  good.allPrecommitted,
  good.revealedByBob,
  detours.timedOut,
  detours.ackedByCarol,
  detours.dropped,
  detours.cancelled,
  detours.failed,
  detours.refunded,
  good.settled,
];

/** A task that does not get its miners: refused selections, a clock that runs out, a client that cancels. */
export const longQueue: readonly TaskEvent[] = [
  submitted,
  good.queued,
  good.selected,
  detours.refused,
  detours.timerSet,
  detours.timerFired,
  detours.cancelled,
  detours.failed,
  detours.refunded,
];

const ofTwo = { ...submitted, redundancy: 1, batched: true } as const;

/** A task that is settled by a batch: what nodes sign, its batch, and what becomes of it. */
export const batchedTask: readonly TaskEvent[] = [
  ofTwo,
  { type: 'TaskTaken', task, afterBlock: 1 },
  { ...good.assigned, miners: [alice], seen: null },
  { ...good.ackedByAlice, seen: null },
  { ...good.precommittedByAlice, signature: { r: bytes32(1), vs: bytes32(2) }, seen: null },
  {
    ...good.allPrecommitted,
    batch: { batch: 1, poster: client, position: 0, leaves: manifest, block: 4 },
    seen: null,
  },
  { ...good.revealedByAlice, salt: bytes32(3), seen: null },
  { ...good.allCommitted, seen: null },
  {
    type: 'VerdictSigned',
    task,
    validator: vera,
    winner: alice,
    honest: [alice],
    promptTokens: 6,
    outputTokens: 10,
    report,
    signature: { r: bytes32(4), vs: bytes32(5) },
  },
  { ...good.validated, honest: [alice], seen: null },
  { ...good.settled, posted: seen(9), seen: null },
  detours.failed,
  { ...detours.refunded, seen: null },
];

/** An outcome that an outlier appeals, and each way that can end. */
export const appealedOutcome: readonly TaskEvent[] = [
  submittedOnChain,
  good.assigned,
  good.ackedByBob,
  good.allPrecommitted,
  good.revealedByAlice,
  good.revealedByBob,
  good.allCommitted,
  { ...good.validated, honest: [alice], outliers: [bob] },
  detours.appealed,
  detours.overturned,
  detours.upheld,
  detours.undecided,
  good.settled,
];
