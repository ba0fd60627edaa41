import type { Checkpoint, Ruling } from '../core/checkpoint.ts';
import type { Hex } from '../core/hash.ts';
import type { Address } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';

/** Where a checkpoint stands: it may be disputed, it is, or it counts. */
export type CheckpointState = 'open' | 'disputed' | 'final';

/** A checkpoint on chain. Times are block time, in milliseconds since 1970. */
export interface PostedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly state: CheckpointState;
  /** When its epoch ended. */
  readonly endedAt: number;
  /** Open: until when it may be disputed. Disputed: until when it should be ruled on. Final: since when it counts. */
  readonly dueAt: number;
  /** Who disputes it, or did. */
  readonly disputer: Address | undefined;
  /** The one that it was posted on top of, which counts. */
  readonly before: { readonly anchorEpoch: number; readonly disputer: Address | undefined } | undefined;
}

/** Where reputation stands on chain, all of one block. */
export interface ReputationState {
  /** The block's time, in milliseconds since 1970. */
  readonly at: number;
  /** The newest epoch that is over; 0 while the first goes on. */
  readonly endedEpoch: number;
  /** When it ended, in milliseconds since 1970. */
  readonly endedAt: number;
  /** The newest checkpoint; undefined before the first. */
  readonly newest: PostedCheckpoint | undefined;
  /** How many checkpoints have been voided. */
  readonly revision: number;
  /** Signatures that a checkpoint needs now. */
  readonly quorum: number;
  /** Signatures that a ruling needs now. */
  readonly rulingQuorum: number;
  /** How long a checkpoint may be disputed, in milliseconds. */
  readonly disputeMs: number;
}

/** The reputation contract as oracles need it. What is read of it throws PouwError `chain_unreachable`. */
export interface ReputationChain {
  state(): Promise<ReputationState>;
  /** The credits of nodes for the idle work of an epoch; nodes without any are left out. */
  idleWork(epoch: number, nodes: readonly Address[]): Promise<ReadonlyMap<Address, number>>;
  /** An account's signature of a checkpoint, 65 bytes. @throws PouwError `unknown_account`. */
  sign(by: Address, checkpoint: Checkpoint): Promise<Hex>;
  /** Who has signed a checkpoint; undefined where the signature is none. */
  signerOf(checkpoint: Checkpoint, signature: Hex): Promise<Address | undefined>;
  /** An account's signature of a ruling, 65 bytes. @throws PouwError `unknown_account`. */
  signRuling(by: Address, ruling: Ruling): Promise<Hex>;
  /** Who has signed a ruling; undefined where the signature is none. */
  signerOfRuling(ruling: Ruling, signature: Hex): Promise<Address | undefined>;
  /** What of bonds an account can take. */
  owed(account: Address): Promise<Wei>;
  /** How often an account has taken its bonds. */
  withdrawals(account: Address): Promise<number>;
  /** What the contract may take of an account's $COR. */
  allowance(account: Address): Promise<Wei>;
}
