import type { SessionShare } from '../core/batch/build.ts';
import type { Challenge } from '../core/batch/challenge.ts';
import type { LeafKind, OutcomeLeaf, PaymentLeaf, PrecommitLeaf, RevealLeaf } from '../core/batch/leaves.ts';
import type { BatchHeader } from '../core/batch/rules.ts';
import type { Placed } from '../core/batch/tree.ts';
import type { Hex } from '../core/hash.ts';
import type { Wei } from '../core/wei.ts';
import type { CompactSignature } from './queue-messages.ts';

/** A batch that is posted, and its header as it is now. */
interface OfBatch {
  readonly batch: number;
  readonly header: BatchHeader;
}

/** What posters, challengers and those who are paid send to the contracts of batches. */
export type BatchCall =
  | { readonly call: 'depositBond'; readonly amountWei: Wei }
  | {
      readonly call: 'postPrecommits';
      /** How many batches the sender has begun before. */
      readonly number: number;
      readonly root: Hex;
      readonly manifestDigest: Hex;
      readonly shares: readonly SessionShare[];
    }
  | ({ readonly call: 'postReveals'; readonly root: Hex; readonly manifestDigest: Hex } & OfBatch)
  | ({
      readonly call: 'postOutcomes';
      readonly outcomeRoot: Hex;
      readonly paymentRoot: Hex;
      readonly payments: number;
      readonly drawnWei: readonly Wei[];
      readonly manifestDigest: Hex;
    } & OfBatch)
  | ({ readonly call: 'finalise' | 'voidLate' | 'voidOrphan' } & OfBatch)
  /** Pays the accounts of the leaves what they have earned and were not paid yet. */
  | ({ readonly call: 'claimMany'; readonly payments: readonly Placed<PaymentLeaf>[] } & OfBatch)
  /** Wants a leaf to be shown; puts down 1 $COR for whoever does. */
  | ({ readonly call: 'demand'; readonly kind: LeafKind; readonly position: number } & OfBatch)
  /** Voids a batch whose demanded leaf was not shown in time; the asker has its deposit back and its part of the bond. */
  | ({ readonly call: 'proveWithheld'; readonly kind: LeafKind; readonly position: number } & OfBatch)
  /** Has the asker's deposit back where the batch is void for another reason. */
  | { readonly call: 'takeBack'; readonly batch: number; readonly kind: LeafKind; readonly position: number }
  /** Shows a leaf that somebody has demanded; an outcome with the signatures of its validators. */
  | ({ readonly call: 'showLeaf' } & ShownLeaf & OfBatch)
  /** Proves a fault with the leaves that show it. */
  | ({ readonly call: 'challenge'; readonly challenge: Exclude<Challenge, { readonly call: 'demand' }> } & OfBatch);

/** A leaf with its proof, as it is shown on demand. */
export type ShownLeaf =
  | { readonly kind: 'precommit'; readonly leaf: Placed<PrecommitLeaf> }
  | { readonly kind: 'reveal'; readonly leaf: Placed<RevealLeaf> }
  | {
      readonly kind: 'outcome';
      readonly leaf: Placed<OutcomeLeaf>;
      /** The task as it was given out. */
      readonly given: Placed<PrecommitLeaf>;
      readonly signatures: readonly CompactSignature[];
    }
  | { readonly kind: 'payment'; readonly leaf: Placed<PaymentLeaf> };
