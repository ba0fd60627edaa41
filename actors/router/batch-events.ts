import type { BatchHeader } from '../../src/core/batch/rules.ts';
import type { SessionShare } from '../../src/core/batch/build.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { SeenAt } from '../task/events.ts';

type OfBatch = { readonly number: number };

/** Tasks of batched sessions are gathered: their precommits are to be bound on chain. */
export type BatchBegun = OfBatch & {
  readonly type: 'BatchBegun';
  readonly root: Hex;
  readonly shares: readonly SessionShare[];
  /** The tasks, as content. */
  readonly leaves: Cid;
};
/** The chain would not begin it. */
export type BatchDropped = OfBatch & { readonly type: 'BatchDropped'; readonly reason: string };
/** The chain has its precommits. */
export type BatchPrecommitsSeen = OfBatch & {
  readonly type: 'BatchPrecommitsSeen';
  /** The contract's own number of it. */
  readonly batch: number;
  readonly header: BatchHeader;
  readonly seen: SeenAt;
};
/** What its miners have shown is to be bound on chain. */
export type BatchRevealsBound = OfBatch & {
  readonly type: 'BatchRevealsBound';
  readonly root: Hex;
  /** What was shown, as content. */
  readonly reveals: Cid;
};
/** The chain has its reveals. */
export type BatchRevealsSeen = OfBatch & {
  readonly type: 'BatchRevealsSeen';
  readonly header: BatchHeader;
  readonly seen: SeenAt;
};
/** How its tasks ended, and who is paid what, is to be bound on chain. */
export type BatchOutcomesBound = OfBatch & {
  readonly type: 'BatchOutcomesBound';
  readonly outcomeRoot: Hex;
  readonly paymentRoot: Hex;
  readonly payments: number;
  readonly drawnWei: readonly Wei[];
  /** The totals of the accounts that it pays. */
  readonly paid: { readonly [account: Address]: { readonly totalWei: Wei; readonly batch: number } };
  /** The outcomes, as content. */
  readonly outcomes: Cid;
};
/** The chain has its outcomes; it can be challenged until `dueAt` at least, milliseconds since 1970. */
export type BatchOutcomesSeen = OfBatch & {
  readonly type: 'BatchOutcomesSeen';
  readonly header: BatchHeader;
  readonly dueAt: number;
  readonly seen: SeenAt;
};
/** Its window is over, or it is an orphan: the chain is to end it. */
export type BatchEnding = OfBatch & { readonly type: 'BatchEnding' };
/** It is final, or void for a fault. */
export type BatchEnded = OfBatch & {
  readonly type: 'BatchEnded';
  readonly fault: string | null;
  readonly seen: SeenAt;
};

/** The events of a router's batches. */
export type BatchEvent =
  | BatchBegun
  | BatchDropped
  | BatchPrecommitsSeen
  | BatchRevealsBound
  | BatchRevealsSeen
  | BatchOutcomesBound
  | BatchOutcomesSeen
  | BatchEnding
  | BatchEnded;
