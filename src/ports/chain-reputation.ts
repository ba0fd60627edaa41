import type { Checkpoint, Standing } from '../core/checkpoint.ts';
import type { Hex } from '../core/hash.ts';

/** What the reputation contract is told. */
export type ReputationCall =
  /** Anyone may who has the oracles' signatures, in the order of their addresses. */
  | { readonly call: 'postCheckpoint'; readonly checkpoint: Checkpoint; readonly signatures: readonly Hex[] }
  /** Puts a bond on the newest checkpoint's being false; the digest is that of what was found instead. */
  | { readonly call: 'disputeCheckpoint'; readonly epoch: number; readonly claimDigest: Hex }
  /** Decides a dispute, with the signatures of the larger quorum, in the order of their addresses. */
  | {
      readonly call: 'ruleCheckpoint';
      readonly epoch: number;
      readonly stands: boolean;
      readonly signatures: readonly Hex[];
    }
  /** Ends a dispute that was not decided in time: the checkpoint stands. */
  | { readonly call: 'endDispute'; readonly epoch: number }
  /** Takes the bonds of disputes that the sender is owed. */
  | { readonly call: 'withdrawDisputeBond' }
  /** Moves a node's level towards that of its standing in the newest checkpoint that counts. */
  | { readonly call: 'applyLevel'; readonly standing: Standing; readonly proof: readonly Hex[] };
