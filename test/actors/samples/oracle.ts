import type { OracleEvent, WatchEvent } from '../../../actors/oracle/events.ts';
import { alice, bob, carol, genesisAt, olga, otto, seen, session, task } from '../chain-facts.ts';

/** A task with one slot, as an oracle sees it. */
export const watchGood = {
  started: { type: 'WatchStarted', task, session, expireBy: genesisAt + 60_000, seen: seen(1) },
  assigned: {
    type: 'SlotsAssigned',
    task,
    miners: [alice],
    ranking: [alice, bob, carol],
    ackBy: genesisAt + 8_000,
    expireBy: genesisAt + 500_000,
    seen: seen(3),
  },
  acked: { type: 'SlotAcked', task, miner: alice, precommitBy: genesisAt + 34_000, seen: seen(4) },
  precommitted: { type: 'SlotPrecommitted', task, miner: alice, seen: seen(5) },
  revealing: {
    type: 'RevealPhaseOpened',
    task,
    revealBy: genesisAt + 17_000,
    expireBy: genesisAt + 500_000,
    seen: seen(5),
  },
  revealed: { type: 'SlotRevealed', task, miner: alice, seen: seen(6) },
  attesting: { type: 'AttestPhaseOpened', task, attestBy: genesisAt + 30_000, seen: seen(6) },
  decided: { type: 'TaskDecided', task, seen: seen(7) },
  appealed: {
    type: 'AppealOpened',
    task,
    appealedAt: genesisAt + 31_000,
    drawBy: genesisAt + 51_000,
    attestBy: genesisAt + 81_000,
    seen: seen(8),
  },
  ruled: { type: 'AppealEnded', task, seen: seen(9) },
  ended: { type: 'WatchEnded', task, reason: 'TaskSettled', seen: seen(8) },
} as const satisfies Record<string, WatchEvent>;

const deadline = `ack:${alice}`;
const reached = { type: 'DeadlineReached', task, deadline, at: genesisAt + 8_000 } as const satisfies WatchEvent;
const refused = {
  type: 'EnforcementFailed',
  task,
  deadline,
  code: 'chain_reverted',
  reason: 'NotDue',
  retryAt: genesisAt + 9_000,
} as const satisfies WatchEvent;

/** A bounded set of events that leads a watch through every state and transition it has, but for refusals, which count. */
export const watchEvents: readonly WatchEvent[] = [
  ...Object.values(watchGood),
  { type: 'SlotReplaced', task, miner: alice, replacement: bob, ackBy: genesisAt + 20_000, by: olga, seen: seen(9) },
  { type: 'RankingLearned', task, ranking: [alice, bob] },
  reached,
  { type: 'DeadlineDeferred', task, deadline, retryAt: genesisAt + 9_000 },
  { type: 'DeadlineEnforced', task, deadline, action: 'reassign', miner: alice, replacement: bob },
];

const joined = { type: 'OracleJoined', oracle: otto, seen: seen(1) } as const satisfies OracleEvent;

/** The same for an oracle that watches one task. */
export const oracleEvents: readonly OracleEvent[] = [
  { type: 'OracleStarted', oracle: olga, sliceMs: 10_000 },
  joined,
  { type: 'OracleLeft', oracle: otto, seen: seen(2) },
  {
    type: 'SessionTermsSeen',
    session,
    timeouts: { queueTimeoutS: 60, ackTimeoutS: 5, executeTimeoutS: 30, revealTimeoutS: 10, validateTimeoutS: 20 },
    seen: seen(1),
  },
  { type: 'SessionForgotten', session, seen: seen(2) },
  watchGood.started,
  watchGood.assigned,
  watchGood.ended,
  reached,
];

/** What a random walk may add: refusals, which count without bound. */
export const moreOracleEvents: readonly OracleEvent[] = [...oracleEvents, ...watchEvents, refused];
/** The same for a watch alone. */
export const moreWatchEvents: readonly WatchEvent[] = [...watchEvents, refused];
