import type { Payment, SessionTerms } from '../core/chain-fact.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../core/ids.ts';
import type { FinishReason } from '../core/precommit.ts';
import type { Wei } from '../core/wei.ts';

/** The states of a session, as the network's clients see them. */
export type SessionState = 'opening' | 'open' | 'suspended' | 'inactive' | 'draining' | 'closed';

/** The states of a task, as the network's clients see them. The last two are `settled` and `refunded`. */
export type TaskState =
  | 'queued'
  | 'assigned'
  | 'executing'
  | 'precommitted'
  | 'committed'
  | 'validated'
  | 'settled'
  | 'failed'
  | 'refunded';

/** A session at one moment. */
export interface SessionView {
  readonly session: SessionId;
  readonly client: Address;
  readonly state: SessionState;
  readonly terms: SessionTerms;
  /** `deposited = balance + escrowed + paid + refunded`. */
  readonly money: {
    readonly depositedWei: Wei;
    readonly balanceWei: Wei;
    readonly escrowedWei: Wei;
    readonly paidWei: Wei;
    readonly refundedWei: Wei;
  };
  readonly counts: { readonly submitted: number; readonly settled: number; readonly refunded: number };
}

/** One miner's part in a task. */
export interface TaskMinerView {
  readonly miner: Address;
  /** 0 for the first miner of its place, one more for each replacement. */
  readonly attempt: number;
  readonly phase: 'assigned' | 'acked' | 'precommitted' | 'committed' | 'timed-out';
  /** What the validators said; null before they did, and for a miner that never revealed. */
  readonly verdict: 'honest' | 'outlier' | null;
  /** Mean cosine similarity to the other answers, 0 to 1; null where there is none. */
  readonly similarity: number | null;
  /** Output tokens; null before the reveal. */
  readonly tokens: number | null;
}

/** A task at one moment. */
export interface TaskView {
  readonly task: TaskId;
  readonly session: SessionId;
  readonly state: TaskState;
  readonly model: string;
  readonly maxTokens: number;
  /** k. */
  readonly redundancy: number;
  /** Level of validation. */
  readonly level: number;
  /** Prompt and sampling as content. */
  readonly prompt: Cid;
  readonly miners: readonly TaskMinerView[];
  readonly validators: readonly Address[];
  /** The miner whose words are streamed. */
  readonly primary: Address | null;
  /** The miner whose answer the validators chose. */
  readonly winner: Address | null;
  /** Whether the tokens that were streamed are the ones their miner committed. */
  readonly streamed: 'match' | 'mismatch' | 'unseen';
  /** Changes of the miner whose words are streamed. */
  readonly joins: readonly { readonly from: Address; readonly to: Address; readonly deliveredTokens: number }[];
  /** The winning answer; null before the verdict. */
  readonly text: string | null;
  readonly finishReason: FinishReason | null;
  /** Why the winning answer cannot be shown now, though there is one; null where `text` is all there is. */
  readonly unreadable: { readonly code: string; readonly reason: string } | null;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Set aside for the task now. */
  readonly escrowWei: Wei;
  /** What the task cost; 0 before it is settled. */
  readonly priceWei: Wei;
  readonly returnedWei: Wei;
  readonly payments: readonly Payment[];
  /** The winner's result as content; null before the verdict. */
  readonly result: Cid | null;
  /** The validators' report as content. */
  readonly report: Cid | null;
  /** Result, report and receipts as content: the CID that is on chain. Null before settlement. */
  readonly manifest: Cid | null;
  /** The settlement's transaction. */
  readonly settlement: { readonly block: number; readonly txHash: Hex } | null;
  /** The first log anchor on chain that covers the task's end; null before there is one. */
  readonly anchor: { readonly epoch: number; readonly root: Hex } | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
  /** The appeal of its outcome; left out where there is none. `attestBy` is when it is over at the latest. */
  readonly appeal?: {
    readonly state: 'open' | 'upheld' | 'overturned' | 'undecided';
    readonly appellant: Address;
    readonly attestBy: number;
  };
}
