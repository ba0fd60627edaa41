import type { Checkpoint } from '../core/checkpoint.ts';
import type { Hex } from '../core/hash.ts';
import type { Address } from '../core/ids.ts';

/** Where reputation stands on chain, all of one block. */
export interface ReputationState {
  /** The newest epoch that is over; 0 while the first goes on. */
  readonly endedEpoch: number;
  /** When it ended, in milliseconds since 1970. */
  readonly endedAt: number;
  /** The newest checkpoint, and whether it counts; undefined before the first. */
  readonly newest: { readonly checkpoint: Checkpoint; readonly isFinal: boolean } | undefined;
  /** How many checkpoints have been voided. */
  readonly revision: number;
  /** Signatures that a checkpoint needs now. */
  readonly quorum: number;
}

/** The reputation contract as oracles need it. */
export interface ReputationChain {
  /** @throws PouwError `chain_unreachable`. */
  state(): Promise<ReputationState>;
  /** The credits of nodes for the idle work of an epoch; nodes without any are left out. */
  idleWork(epoch: number, nodes: readonly Address[]): Promise<ReadonlyMap<Address, number>>;
  /** An account's signature of a checkpoint, 65 bytes. @throws PouwError `unknown_account`. */
  sign(by: Address, checkpoint: Checkpoint): Promise<Hex>;
  /** Who has signed a checkpoint; undefined where the signature is none. */
  signerOf(checkpoint: Checkpoint, signature: Hex): Promise<Address | undefined>;
}
