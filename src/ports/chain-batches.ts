import type { SessionShare } from '../core/batch/build.ts';
import type { Challenge } from '../core/batch/challenge.ts';
import type { PaymentLeaf } from '../core/batch/leaves.ts';
import type { BatchHeader } from '../core/batch/rules.ts';
import type { Placed } from '../core/batch/tree.ts';
import type { Hex } from '../core/hash.ts';
import type { Wei } from '../core/wei.ts';

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
  /** Proves a fault with the leaves that show it. */
  | ({ readonly call: 'challenge'; readonly challenge: Exclude<Challenge, { readonly call: 'demand' }> } & OfBatch);
