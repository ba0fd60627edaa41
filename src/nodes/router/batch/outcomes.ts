import { isAlike, leafSlots } from '../../../../actors/task/batched.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import type { TaskFact } from '../../../../actors/task/decide.ts';
import { manifestOf } from '../../../../actors/task/manifest.ts';
import { buildOutcomes, buildPrecommits, type OutcomePost } from '../../../core/batch/build.ts';
import type { BatchContent, BatchOutcomes, Shown, SignedOutcome } from '../../../core/batch/content.ts';
import { lineOf, taskRecords } from '../../../core/batch/content.ts';
import { earningsOf } from '../../../core/batch/payments.ts';
import type { BatchHeader } from '../../../core/batch/rules.ts';
import { cidToDigest } from '../../../core/cid.ts';
import type { Effect } from '../../../core/effect.ts';
import type { Folded } from '../../../core/fold.ts';
import type { Address, Cid } from '../../../core/ids.ts';
import { slotSet } from '../../../core/batch/verdict-slots.ts';

/** What each miner of a task has shown, in the order of the leaf. */
export function shownBy(slots: readonly { readonly miner: Address }[], task: Folded<TaskContext> | undefined): Shown[] {
  return slots.map(({ miner }) => {
    const slot = task?.context.slots.find((one) => one.miner === miner);
    if (slot?.phase !== 'committed' || slot.resultRoot === null || slot.salt === undefined) return null;
    return { resultRoot: slot.resultRoot, salt: slot.salt };
  });
}

/** What validators have agreed on about a task; null where it failed. */
export function signedOutcome(task: Folded<TaskContext> | undefined): SignedOutcome | null {
  if (task?.value !== 'validated' && task?.value !== 'settled') return null;
  const { context } = task;
  const { verdict, validators, votes = [] } = context;
  if (verdict === null || context.level === 0) return null;
  const found = { ...verdict, validator: validators[0] as Address, signature: { r: '0x', vs: '0x' } as const };
  const alike = votes.filter((vote) => isAlike(vote, found));
  const signers = validators.flatMap((validator, index) => {
    const vote = alike.find((one) => one.validator === validator);
    return vote === undefined ? [] : [{ index, signature: vote.signature }];
  });
  const slots = leafSlots(context);
  return {
    winner: slots.findIndex(({ miner }) => miner === verdict.winner),
    honest: slotSet(slots, verdict.honest),
    voters: signers.reduce((set, { index }) => set | (1 << index), 0),
    promptTokens: verdict.promptTokens,
    outputTokens: verdict.outputTokens,
    signatures: signers.map(({ signature }) => signature),
  };
}

/** The trees of a batch's outcomes and payments. */
export function outcomePost(batch: number, header: BatchHeader, content: BatchContent): OutcomePost {
  const line = lineOf(content.outcomes?.line ?? []);
  return buildOutcomes(batch, header, buildPrecommits(taskRecords(content)), line);
}

/** The part of the line that a batch's content says: of the accounts that it pays. */
export function lineBefore(line: { readonly [account: Address]: BatchLine }, post: OutcomePost): BatchOutcomes['line'] {
  const paid = new Set(post.payments.leaves.slice(0, post.payments.count).map(({ account }) => account));
  return [...paid].toSorted().flatMap((account) => {
    const before = line[account];
    return before === undefined ? [] : [[account, before.totalWei, before.batch] as const];
  });
}

type BatchLine = { readonly totalWei: BatchOutcomes['line'][number][1]; readonly batch: number };

/** What a session is told about a task of a batch whose outcomes are on chain. */
export function endingFact(
  task: Folded<TaskContext>,
  position: number,
  { header, content, post, cidOf }: PostedBatch,
): TaskFact | undefined {
  const outcome = post.outcomes.leaves[position];
  const session = content.tasks.tasks[position]?.session;
  if (outcome === undefined || session === undefined) return undefined;
  const of = { session, task: outcome.task, place: null } as const;
  if (outcome.honest === 0) {
    return { type: 'TaskRefunded', ...of, returnedWei: outcome.refundWei, reason: 'exhausted' };
  }
  const { verdict } = task.context;
  const leaf = buildPrecommits(taskRecords(content)).tree.leaves[position];
  if (verdict === null || leaf === undefined) return undefined;
  const payments = earningsOf(header.rates, header.poster, leaf, outcome).map(({ account, share, amountWei }) => {
    return { to: account, role: share, amountWei };
  });
  const manifestDigest = cidToDigest(cidOf(manifestOf(task.context, verdict)));
  return {
    type: 'TaskSettled',
    ...of,
    priceWei: outcome.priceWei,
    returnedWei: outcome.refundWei,
    payments,
    manifestDigest,
  };
}

/** A batch whose outcomes are on chain. */
export interface PostedBatch {
  readonly header: BatchHeader;
  readonly content: BatchContent;
  readonly post: OutcomePost;
  readonly cidOf: (value: Effect) => Cid;
}
