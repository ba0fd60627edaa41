import type { PaymentLeaf } from '../core/batch/leaves.ts';
import type { BatchOnChain } from '../core/batch/fact.ts';
import { batchData } from '../core/batch/content.ts';
import { placed, type Placed } from '../core/batch/tree.ts';
import { digestToCid } from '../core/cid.ts';
import type { Address } from '../core/ids.ts';
import { subWei, type Wei } from '../core/wei.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Chain } from '../ports/chain.ts';
import { readBatch } from './batch-content.ts';

/** What accounts can claim from one batch: each by the last of its payments there. */
export interface BatchClaim {
  readonly of: BatchOnChain;
  readonly payments: readonly Placed<PaymentLeaf>[];
  /** What it will pay them that they were not paid before. */
  readonly amountWei: readonly Wei[];
}

/**
 * What accounts can claim: of each poster from its newest final batch that pays them, since totals go on from batch to
 * batch. Accounts that were paid all are left out.
 *
 * @throws PouwError `content_not_found` where the content of a batch cannot be had, `batch_malformed`.
 */
export async function claimsOf(
  batches: Iterable<BatchOnChain>,
  accounts: readonly Address[],
  chain: Pick<Chain, 'batchClaimed'>,
  contents: Pick<ContentStore, 'get'>,
): Promise<readonly BatchClaim[]> {
  const final = [...batches].filter(({ state }) => state === 'final');
  const newestFirst = final.toSorted((a, b) => b.header.place - a.header.place);
  const claims: BatchClaim[] = [];
  for (const poster of new Set(final.map((one) => one.poster))) {
    const missing = new Set(accounts);
    for (const of of newestFirst) {
      if (of.poster !== poster || missing.size === 0) continue;
      const claim = await claimOf(of, missing, chain, contents);
      if (claim.payments.length > 0) claims.push(claim);
    }
  }
  return claims;
}

/** What a batch pays accounts; those that it pays are taken out of `missing`. */
async function claimOf(
  of: BatchOnChain,
  missing: Set<Address>,
  chain: Pick<Chain, 'batchClaimed'>,
  contents: Pick<ContentStore, 'get'>,
): Promise<BatchClaim> {
  const content = await readBatch(contents, digestToCid(of.manifestDigest));
  const { payment } = batchData(of.batch, of.header, content);
  const payments: Placed<PaymentLeaf>[] = [];
  const amountWei: Wei[] = [];
  for (const account of missing) {
    const index = payment.leaves.findLastIndex((leaf, at) => at < payment.count && leaf.account === account);
    if (index === -1) continue;
    missing.delete(account);
    const last = placed(payment, index);
    const claimedWei = await chain.batchClaimed(of.poster, account);
    if (BigInt(claimedWei) >= BigInt(last.leaf.accountTotalWei)) continue;
    payments.push(last);
    amountWei.push(subWei(last.leaf.accountTotalWei, claimedWei));
  }
  return { of, payments, amountWei };
}
