import type { Address } from '../ids.ts';
import type { Around, BatchData, Challenge, Watch } from './challenge.ts';
import type { PaymentLeaf } from './leaves.ts';
import { byPlace, earningsOf } from './payments.ts';
import { placed, type Placed } from './tree.ts';

/** Faults of a batch's payments. */
export function checkPayments(batch: BatchData, watch: Watch): Challenge[] {
  return [...checkAmounts(batch), ...checkMissing(batch), ...checkOrder(batch), ...checkEarnings(batch, watch)];
}

/** Payments that are not what their account earned by their task. */
function checkAmounts(batch: BatchData): Challenge[] {
  const { header } = batch;
  return paymentsIn(batch).flatMap((payment): Challenge[] => {
    const { account, position, share, amountWei } = payment.leaf;
    if (position >= header.tasks) return [{ call: 'proveWrongTotal', payment }];
    const task = placed(batch.precommit, position);
    const outcome = placed(batch.outcome, position);
    const isEarned = earningsOf(header.rates, header.poster, task.leaf, outcome.leaf).some(
      (earning) => earning.account === account && earning.share === share && earning.amountWei === amountWei,
    );
    return isEarned ? [] : [{ call: 'proveWrongPayment', task, outcome, payment }];
  });
}

/** Earnings that are not paid. They can be proven where the payments around them are in order. */
function checkMissing(batch: BatchData): Challenge[] {
  const { header } = batch;
  const found: Challenge[] = [];
  for (let position = 0; position < header.tasks; position += 1) {
    const task = placed(batch.precommit, position);
    const outcome = placed(batch.outcome, position);
    for (const { account, share } of earningsOf(header.rates, header.poster, task.leaf, outcome.leaf)) {
      const gap = gapAt(batch, { account, position, share });
      if (gap !== undefined) found.push({ call: 'proveMissingPayment', task, outcome, share, account, ...gap });
    }
  }
  return found;
}

/** Neighbours that are not in order or whose totals do not go on, and ends that are not where they should be. */
function checkOrder(batch: BatchData): Challenge[] {
  const payments = paymentsIn(batch);
  const drawnWei = batch.header.sessions.reduce((sum, part) => sum + BigInt(part.drawnWei), 0n);
  return payments.flatMap((payment, index): Challenge[] => {
    const { leaf } = payment;
    const isWrongAtStart = index === 0 && leaf.batchTotalWei !== leaf.amountWei;
    const isWrongAtEnd = index === payments.length - 1 && BigInt(leaf.batchTotalWei) !== drawnWei;
    const isWrongTotal = isWrongAtStart || isWrongAtEnd || BigInt(leaf.amountWei) > BigInt(leaf.accountTotalWei);
    const found: Challenge[] = isWrongTotal ? [{ call: 'proveWrongTotal', payment }] : [];
    const left = payments[index - 1];
    if (left !== undefined && !isNext(left.leaf, leaf)) found.push({ call: 'proveWrongOrder', left, right: payment });
    return found;
  });
}

function isNext(a: PaymentLeaf, b: PaymentLeaf): boolean {
  if (byPlace(a, b) >= 0) return false;
  if (BigInt(b.batchTotalWei) !== BigInt(a.batchTotalWei) + BigInt(b.amountWei)) return false;
  if (a.account !== b.account) return true;
  return a.sinceBatch === b.sinceBatch && BigInt(b.accountTotalWei) === BigInt(a.accountTotalWei) + BigInt(b.amountWei);
}

/** Totals that do not begin with what the line has paid the account before. */
function checkEarnings(batch: BatchData, { earlier, headerOf }: Watch): Challenge[] {
  const payments = paymentsIn(batch);
  const known = new Map(earlier.map((data) => [data.id, data]));
  const lasts = lastsOf(earlier);
  return payments.flatMap((payment, index): Challenge[] => {
    const { account, accountTotalWei, amountWei, sinceBatch } = payment.leaf;
    const left = payments[index - 1];
    if (left?.leaf.account === account) return [];
    const startWei = BigInt(accountTotalWei) - BigInt(amountWei);
    const first = left === undefined ? [payment] : [left, payment];
    const last = lasts.get(account);
    if (last !== undefined && startWei < BigInt(last.payment.leaf.accountTotalWei)) {
      const { data, payment: before } = last;
      return [{ call: 'proveForgottenEarnings', payment, before, earlierId: data.id, earlier: data.header }];
    }
    if (sinceBatch === 0) return startWei === 0n ? [] : [{ call: 'proveInventedStart', first }];
    const named = known.get(sinceBatch);
    if (named === undefined) return [{ call: 'proveWrongOrigin', payment, origin: headerOf(sinceBatch) }];
    const ending = endingOf(named, account);
    if (startWei <= ending.totalWei) return [];
    const { around, behind } = ending;
    return [{ call: 'proveInventedEarnings', first, earlierId: named.id, earlier: named.header, around, behind }];
  });
}

/** The payment with which each account's earnings end before this batch. */
function lastsOf(
  earlier: readonly BatchData[],
): Map<Address, { readonly data: BatchData; readonly payment: Placed<PaymentLeaf> }> {
  const lasts = new Map<Address, { readonly data: BatchData; readonly payment: Placed<PaymentLeaf> }>();
  for (const data of earlier) {
    for (const payment of paymentsIn(data)) lasts.set(payment.leaf.account, { data, payment });
  }
  return lasts;
}

/** What an account has in all at the end of a batch, and the neighbours that show it. */
function endingOf(batch: BatchData, account: Address): Around & { readonly totalWei: bigint } {
  const payments = paymentsIn(batch);
  const next = payments.findIndex(({ leaf }) => leaf.account > account);
  const end = next === -1 ? payments.length : next;
  const last = payments[end - 1];
  const totalWei = last?.leaf.account === account ? BigInt(last.leaf.accountTotalWei) : 0n;
  const around = payments.slice(Math.max(0, end - 1), end + 1);
  return { totalWei, around, behind: end === payments.length && payments.length > 0 };
}

/** The neighbours between which a payment is missing; undefined where it is there, or they are not in order. */
function gapAt(batch: BatchData, wanted: Pick<PaymentLeaf, 'account' | 'position' | 'share'>): Around | undefined {
  const payments = paymentsIn(batch);
  if (payments.some(({ leaf }) => byPlace(leaf, wanted) === 0)) return undefined;
  for (let index = 0; index <= payments.length; index += 1) {
    const [left, right] = [payments[index - 1], payments[index]];
    const isAfter = left === undefined || byPlace(left.leaf, wanted) < 0;
    const isBefore = right === undefined || byPlace(wanted, right.leaf) < 0;
    if (!isAfter || !isBefore) continue;
    const around = [left, right].filter((payment) => payment !== undefined);
    return { around, behind: right === undefined && left !== undefined };
  }
  return undefined;
}

const cache = new WeakMap<BatchData, readonly Placed<PaymentLeaf>[]>();

/** The payments of a batch with their proofs. */
function paymentsIn(batch: BatchData): readonly Placed<PaymentLeaf>[] {
  const known = cache.get(batch);
  if (known !== undefined) return known;
  const made = Array.from({ length: batch.header.payments }, (_, index) => placed(batch.payment, index));
  cache.set(batch, made);
  return made;
}
