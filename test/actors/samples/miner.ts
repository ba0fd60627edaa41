import { wei } from '../../../src/core/wei.ts';
import type { JobEvent, MinerEvent } from '../../../actors/miner/events.ts';
import { alice, bytes32, genesisAt, prompt, router, seen, session, task } from '../chain-facts.ts';
import { result } from './task.ts';

const job = { task, attempt: 0 } as const;

/** The events of a job that goes well, by their names. */
export const jobGood = {
  received: {
    type: 'JobReceived',
    ...job,
    session,
    step: 0,
    miner: alice,
    model: 'pebble-chat',
    prompt,
    maxTokens: 16,
    prefix: [1, 2],
    router,
    replyTo: 'pouw.v1.tok.x',
  },
  acked: { type: 'JobAcked', ...job, precommitBy: genesisAt + 30_000, seen: seen(4) },
  produced: {
    type: 'OutputProduced',
    ...job,
    resultRoot: bytes32(8),
    result,
    tokens: 7,
    finishReason: 'stop',
    salt: bytes32(77),
  },
  precommitted: { type: 'JobPrecommitted', ...job, seen: seen(6) },
  revealOpened: { type: 'RevealOpened', ...job, revealBy: genesisAt + 40_000, seen: seen(7) },
  revealed: { type: 'JobRevealed', ...job, seen: seen(8) },
  done: { type: 'JobDone', ...job, earnedWei: wei(10), seen: seen(11) },
} as const satisfies Record<string, JobEvent>;

const disputeEvents: readonly JobEvent[] = [
  { type: 'OutcomeDisputed', ...job, seen: seen(9) },
  { type: 'DisputeJudged', ...job, winner: alice, honest: [alice], appeals: true },
  { type: 'DisputeAppealed', ...job, seen: seen(10) },
  { type: 'DisputeDropped', ...job, code: 'appeal_too_late', reason: 'late' },
];

/** A bounded set of events that leads a job through every state and transition it has. */
export const jobEvents: readonly JobEvent[] = [
  ...Object.values(jobGood),
  ...disputeEvents,
  { type: 'JobCancelled', ...job, code: 'reassigned', reason: 'late', seen: seen(9) },
  { type: 'JobFailed', ...job, code: 'inference_failed', reason: 'no memory' },
];

export const minerStarted = {
  type: 'MinerStarted',
  miner: alice,
  models: ['pebble-chat'],
  capacity: 2,
} as const satisfies MinerEvent;

/** The same for a miner with two jobs. */
export const minerEvents: readonly MinerEvent[] = [
  minerStarted,
  { type: 'MinerDraining' },
  ...jobEvents,
  { ...jobGood.received, attempt: 1 },
  { type: 'JobFailed', task, attempt: 1, code: 'inference_failed', reason: 'no memory' },
];
