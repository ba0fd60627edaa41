import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { FinishReason } from '../../src/core/precommit.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { SeenAt } from '../task/events.ts';
import { type DisputeEvent, disputeEventTypes } from './disputes.ts';

/** The miner is up, with these models and this capacity; also after a change of either. */
export type MinerStarted = {
  readonly type: 'MinerStarted';
  readonly miner: Address;
  readonly models: readonly string[];
  readonly capacity: number;
  /** Whether it appeals outcomes that wrong it; left out where it does not. */
  readonly appeals?: true;
};
/** The miner takes no new jobs; those under way end first. */
export type MinerDraining = { readonly type: 'MinerDraining' };

type OfJob = { readonly task: TaskId; readonly attempt: number };

/** A router gave the miner its part of a task. */
export type JobReceived = OfJob & {
  readonly type: 'JobReceived';
  readonly session: SessionId;
  readonly step: number;
  readonly miner: Address;
  readonly model: string;
  readonly prompt: Cid;
  readonly maxTokens: number;
  readonly prefix: readonly number[];
  readonly router: Address;
  readonly replyTo: string;
  /** Left out where the chain is told each step. */
  readonly batched?: true;
};

/** The chain has the miner's acknowledgement. */
export type JobAcked = OfJob & {
  readonly type: 'JobAcked';
  readonly precommitBy: number;
  readonly seen: SeenAt | null;
};

/** The answer is made and stored. The salt is drawn here, so that a retried precommit is the same precommit. */
export type OutputProduced = OfJob & {
  readonly type: 'OutputProduced';
  readonly resultRoot: Hex;
  readonly result: Cid;
  readonly tokens: number;
  readonly finishReason: FinishReason;
  readonly salt: Hex;
};

/** The chain has the miner's precommit. */
export type JobPrecommitted = OfJob & { readonly type: 'JobPrecommitted'; readonly seen: SeenAt | null };
/** Every miner of the task has precommitted: the result may be shown. */
export type RevealOpened = OfJob & {
  readonly type: 'RevealOpened';
  readonly revealBy: number;
  readonly seen: SeenAt | null;
};
/** The chain has the miner's result. */
export type JobRevealed = OfJob & { readonly type: 'JobRevealed'; readonly seen: SeenAt | null };
/**
 * The task is settled; `earnedWei` is this miner's share, zero for an outlier. With `seen` null the task is settled by a
 * batch: then the miner's part is done once its router has it, and what it earns is claimed from the batch.
 */
export type JobDone = OfJob & { readonly type: 'JobDone'; readonly earnedWei: Wei; readonly seen: SeenAt | null };
/** The job is not wanted any more. `seen` is null where the router said so and not the chain. */
export type JobCancelled = OfJob & {
  readonly type: 'JobCancelled';
  readonly code: string;
  readonly reason: string;
  readonly seen: SeenAt | null;
};
/** The miner cannot do the job. */
export type JobFailed = OfJob & { readonly type: 'JobFailed'; readonly code: string; readonly reason: string };

/** Every event of a job. */
export type JobEvent =
  | JobReceived
  | JobAcked
  | OutputProduced
  | JobPrecommitted
  | RevealOpened
  | JobRevealed
  | JobDone
  | JobCancelled
  | JobFailed
  | DisputeEvent;

/** The names of job events, for routing them to the job machine. */
export const jobEventTypes = [
  'JobReceived',
  'JobAcked',
  'OutputProduced',
  'JobPrecommitted',
  'RevealOpened',
  'JobRevealed',
  'JobDone',
  'JobCancelled',
  'JobFailed',
  ...disputeEventTypes,
] as const satisfies readonly JobEvent['type'][];

/** Every event of a miner's stream. */
export type MinerEvent = MinerStarted | MinerDraining | JobEvent;
