import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { FinishReason } from '../../src/core/precommit.ts';
import { type Wei, zeroWei } from '../../src/core/wei.ts';
import type { Dispute } from './disputes.ts';

/** The states of a miner. */
export const minerStates = ['offline', 'idle', 'busy', 'draining', 'drained'] as const;

/** The states of a job, in the order in which it lives through them. */
export const jobStates = [
  'new',
  'received',
  'running',
  'produced',
  'precommitting',
  'precommitted',
  'revealing',
  'revealed',
  'done',
  'cancelled',
  'failed',
] as const;

/** Names a job: `<task>:<attempt>`. */
export type JobKey = string;

/** The key of a job. */
export function jobKey({ task, attempt }: { readonly task: TaskId; readonly attempt: number }): JobKey {
  return `${task}:${attempt}`;
}

/** Everything a job remembers. */
export type JobContext = {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly step: number;
  readonly attempt: number;
  readonly miner: Address;
  readonly model: string;
  readonly prompt: Cid;
  readonly maxTokens: number;
  /** Tokens the client already has from a miner that died; the answer continues them. */
  readonly prefix: readonly number[];
  /** The router that gave the job. */
  readonly router: Address;
  /** The subject on which that router reads the tokens. */
  readonly replyTo: string;
  /** When the precommit must be on chain, milliseconds since 1970; 0 until the chain has the acknowledgement. */
  readonly precommitBy: number;
  /** When the reveal must be on chain, milliseconds since 1970; 0 until every miner has precommitted. */
  readonly revealBy: number;
  readonly resultRoot: Hex | null;
  readonly result: Cid | null;
  readonly salt: Hex | null;
  readonly tokens: number;
  readonly finishReason: FinishReason | null;
  readonly earnedWei: Wei;
  /** Why it was cancelled or failed. */
  readonly ending: { readonly code: string; readonly reason: string } | null;
  /** Left out where the chain is told each step. */
  readonly batched?: true;
  /** What the miner does about being called an outlier; left out where it is not, or leaves it at that. */
  readonly dispute?: Dispute;
};

/** Everything a miner remembers. */
export type MinerContext = {
  readonly miner: Address | null;
  /** The models it serves. */
  readonly models: readonly string[];
  /** Jobs it takes at a time. */
  readonly capacity: number;
  /** Whether it appeals outcomes that wrong it. */
  readonly appeals: boolean;
  /** Jobs under way and the newest ended ones (`limits.minerEndedJobsKept`). */
  readonly jobs: { readonly [job: JobKey]: Folded<JobContext> };
  /** Ended jobs still in `jobs`, oldest first. */
  readonly ended: readonly JobKey[];
  readonly counts: {
    readonly received: number;
    readonly done: number;
    readonly cancelled: number;
    readonly failed: number;
  };
  /** What its finished jobs were paid, all together. */
  readonly earnedWei: Wei;
};

const nothing = '';

/** The context of a job before its first event. */
export const emptyJob: JobContext = {
  session: nothing as SessionId,
  task: nothing as TaskId,
  step: 0,
  attempt: 0,
  miner: nothing as Address,
  model: '',
  prompt: nothing as Cid,
  maxTokens: 0,
  prefix: [],
  router: nothing as Address,
  replyTo: '',
  precommitBy: 0,
  revealBy: 0,
  resultRoot: null,
  result: null,
  salt: null,
  tokens: 0,
  finishReason: null,
  earnedWei: zeroWei,
  ending: null,
};

/** The context of a miner before its first event. */
export const emptyMiner: MinerContext = {
  miner: null,
  models: [],
  capacity: 0,
  appeals: false,
  jobs: {},
  ended: [],
  counts: { received: 0, done: 0, cancelled: 0, failed: 0 },
  earnedWei: zeroWei,
};
