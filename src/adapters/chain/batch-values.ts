import {
  batchShares,
  type OutcomeLeaf,
  type PaymentLeaf,
  type PrecommitLeaf,
  type RevealLeaf,
} from '../../core/batch/leaves.ts';
import type { BatchHeader } from '../../core/batch/rules.ts';
import type { Placed } from '../../core/batch/tree.ts';
import type { Hex } from '../../core/hash.ts';
import { toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';

/** A header as the contracts take it. */
export function toHeader(header: BatchHeader) {
  return {
    ...header,
    postedBlock: BigInt(header.postedBlock),
    bondWei: BigInt(header.bondWei),
    sessions: header.sessions.map(({ session, ...part }) => ({
      ...part,
      sessionId: BigInt(session),
      maxTaskPriceWei: BigInt(part.maxTaskPriceWei),
      promptTokenWei: BigInt(part.promptTokenWei),
      outputTokenWei: BigInt(part.outputTokenWei),
      reservedWei: BigInt(part.reservedWei),
      drawnWei: BigInt(part.drawnWei),
    })),
  };
}

type OnChain = Omit<ReturnType<typeof toHeader>, 'poster' | 'rates' | 'sessions'> & {
  readonly poster: Hex;
  readonly sessions: readonly ReturnType<typeof toHeader>['sessions'][number][];
  readonly rates: Omit<BatchHeader['rates'], 'treasury'> & { readonly treasury: Hex };
};

/** A header as the chain tells it. */
export function fromHeader(header: OnChain): BatchHeader {
  const { rates } = header;
  return {
    ...header,
    poster: toAddress(header.poster),
    postedBlock: Number(header.postedBlock),
    bondWei: wei(header.bondWei),
    rates: { ...rates, treasury: toAddress(rates.treasury) },
    sessions: header.sessions.map(({ sessionId, ...part }) => ({
      ...part,
      session: Number(sessionId),
      maxTaskPriceWei: wei(part.maxTaskPriceWei),
      promptTokenWei: wei(part.promptTokenWei),
      outputTokenWei: wei(part.outputTokenWei),
      reservedWei: wei(part.reservedWei),
      drawnWei: wei(part.drawnWei),
    })),
  };
}

/** A precommit leaf with its proof, as the contracts take it. */
export function toTask({ leaf: { session, task, maxPriceWei, ...leaf }, proof }: Placed<PrecommitLeaf>) {
  return { leaf: { ...leaf, sessionId: BigInt(session), taskId: task, maxPriceWei: BigInt(maxPriceWei) }, proof };
}

/** A reveal leaf with its proof, as the contracts take it. */
export function toShown({ leaf: { task, ...leaf }, proof }: Placed<RevealLeaf>) {
  return { leaf: { ...leaf, taskId: task }, proof };
}

/** An outcome leaf with its proof, as the contracts take it. */
export function toEnded({ leaf: { task, ...leaf }, proof }: Placed<OutcomeLeaf>) {
  return {
    leaf: {
      ...leaf,
      taskId: task,
      priceWei: BigInt(leaf.priceWei),
      refundWei: BigInt(leaf.refundWei),
      sessionPriceWei: BigInt(leaf.sessionPriceWei),
      sessionRefundWei: BigInt(leaf.sessionRefundWei),
    },
    proof,
  };
}

/** A payment leaf with its proof, as the contracts take it. */
export function toPaid({ leaf, proof }: Placed<PaymentLeaf>) {
  return {
    leaf: {
      ...leaf,
      share: batchShares.indexOf(leaf.share),
      amountWei: BigInt(leaf.amountWei),
      accountTotalWei: BigInt(leaf.accountTotalWei),
      batchTotalWei: BigInt(leaf.batchTotalWei),
      sinceBatch: BigInt(leaf.sinceBatch),
    },
    proof,
  };
}
