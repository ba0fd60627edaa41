import type { SessionShare } from '../../src/core/batch/build.ts';
import type { BatchHeader } from '../../src/core/batch/rules.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { BatchBegun, BatchEnding, BatchOutcomesBound, BatchRevealsBound } from './batch-events.ts';
import type { OpenBatch } from './batches.ts';
import type { RouterContext } from './context.ts';

type OfBatch = { readonly number: number; readonly batch: number; readonly header: BatchHeader };

/** Bind the precommits of a batch on chain. */
export type PostPrecommits = {
  readonly kind: 'postPrecommits';
  readonly number: number;
  readonly root: Hex;
  readonly manifestDigest: Hex;
  readonly shares: readonly SessionShare[];
};
/** Bind what was shown. */
export type PostReveals = OfBatch & { readonly kind: 'postReveals'; readonly root: Hex; readonly manifestDigest: Hex };
/** Bind outcomes and payments. */
export type PostOutcomes = OfBatch & {
  readonly kind: 'postOutcomes';
  readonly outcomeRoot: Hex;
  readonly paymentRoot: Hex;
  readonly payments: number;
  readonly drawnWei: readonly Wei[];
  readonly manifestDigest: Hex;
};
/** Make a batch final, or void where it is an orphan. */
export type FinishBatch = OfBatch & { readonly kind: 'finishBatch'; readonly isOrphan: boolean };

/** The effects of a router's batches. */
export type BatchEffect = PostPrecommits | PostReveals | PostOutcomes | FinishBatch;

/** The precommits go on chain. */
export function afterBatchBegun({ event }: Seen<RouterContext, BatchBegun>): BatchEffect[] {
  const { number, root, shares, leaves } = event;
  return [{ kind: 'postPrecommits', number, root, shares, manifestDigest: cidToDigest(leaves) }];
}

/** The reveals go on chain. */
export function afterBatchReveals({ context, event }: Seen<RouterContext, BatchRevealsBound>): BatchEffect[] {
  return onChain(context, event.number, (of) => {
    return { kind: 'postReveals', ...of, root: event.root, manifestDigest: cidToDigest(event.reveals) };
  });
}

/** The outcomes go on chain. */
export function afterBatchOutcomes({ context, event }: Seen<RouterContext, BatchOutcomesBound>): BatchEffect[] {
  const { outcomeRoot, paymentRoot, payments, drawnWei, outcomes } = event;
  const post = { outcomeRoot, paymentRoot, payments, drawnWei, manifestDigest: cidToDigest(outcomes) };
  return onChain(context, event.number, (of) => ({ kind: 'postOutcomes', ...of, ...post }));
}

/** The chain is asked to end it. */
export function afterBatchEnding({ context, event }: Seen<RouterContext, BatchEnding>): BatchEffect[] {
  return onChain(context, event.number, (of, { isOrphan }) => ({ kind: 'finishBatch', ...of, isOrphan }));
}

function onChain(
  { batches }: RouterContext,
  number: number,
  make: (of: OfBatch, open: OpenBatch) => BatchEffect,
): BatchEffect[] {
  const open = batches?.open[number];
  return open === undefined || open.header === null
    ? []
    : [make({ number, batch: open.batch, header: open.header }, open)];
}
