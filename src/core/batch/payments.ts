import type { Address } from '../ids.ts';
import { subWei, type Wei, wei, zeroWei } from '../wei.ts';
import { batchShares, type BatchShare, type OutcomeLeaf, type PaymentLeaf, type PrecommitLeaf } from './leaves.ts';
import { type BatchRates, isIn, sizeOf } from './rules.ts';

/** One share that an account earns by a task. */
export interface Earning {
  readonly account: Address;
  readonly share: BatchShare;
  readonly amountWei: Wei;
}

/** What everybody earns by a task: the amounts that the contract's `PriceSplit` has for a task without an oracle. */
export function earningsOf(
  rates: BatchRates,
  poster: Address,
  task: PrecommitLeaf,
  outcome: OutcomeLeaf,
): readonly Earning[] {
  const minerWei = each(outcome.priceWei, rates.minersBps, outcome.honest);
  const validatorWei = each(outcome.priceWei, rates.validatorsBps, outcome.voters);
  const routerWei = partOf(outcome.priceWei, rates.routerBps);
  const spent =
    BigInt(minerWei) * BigInt(sizeOf(outcome.honest)) +
    BigInt(validatorWei) * BigInt(sizeOf(outcome.voters)) +
    BigInt(routerWei);
  const all: Earning[] = [
    ...members(task.miners, outcome.honest).map((account) => ({
      account,
      share: 'miner' as const,
      amountWei: minerWei,
    })),
    ...members(task.validators, outcome.voters).map((account) => ({
      account,
      share: 'validator' as const,
      amountWei: validatorWei,
    })),
    { account: poster, share: 'router', amountWei: routerWei },
    { account: rates.treasury, share: 'treasury', amountWei: subWei(outcome.priceWei, wei(spent)) },
  ];
  return all.filter(({ amountWei }) => amountWei !== zeroWei);
}

/** What an account had earned by a poster's batches before this one, and which of them was the last to pay it. */
export interface Standing {
  readonly totalWei: Wei;
  readonly batch: number;
}

/** All that a poster's line has paid, by account. */
export type LineTotals = ReadonlyMap<Address, Standing>;

/** The payments that follow from outcomes, in their order, with the totals that follow from the line. */
export function paymentsOf(
  rates: BatchRates,
  poster: Address,
  tasks: readonly PrecommitLeaf[],
  outcomes: readonly OutcomeLeaf[],
  line: LineTotals,
): PaymentLeaf[] {
  const entries = tasks.flatMap((task, position) => {
    const outcome = outcomes[position];
    return outcome === undefined
      ? []
      : earningsOf(rates, poster, task, outcome).map((earning) => ({ ...earning, position }));
  });
  entries.sort(byPlace);
  let batchTotal = 0n;
  let account: Address | undefined;
  let accountTotal = 0n;
  return entries.map((entry, index) => {
    const before = line.get(entry.account);
    if (entry.account !== account) accountTotal = BigInt(before?.totalWei ?? zeroWei);
    account = entry.account;
    accountTotal += BigInt(entry.amountWei);
    batchTotal += BigInt(entry.amountWei);
    return {
      ...entry,
      index,
      accountTotalWei: wei(accountTotal),
      batchTotalWei: wei(batchTotal),
      sinceBatch: before?.batch ?? 0,
    };
  });
}

/** The line's totals once a batch is in it. */
export function lineAfter(line: LineTotals, batch: number, payments: readonly PaymentLeaf[]): LineTotals {
  const after = new Map(line);
  for (const { account, accountTotalWei } of payments) after.set(account, { totalWei: accountTotalWei, batch });
  return after;
}

type Place = Pick<PaymentLeaf, 'account' | 'position' | 'share'>;

/** The order of payments: negative where `a` comes before `b`, zero where they are for the same. */
export function byPlace(a: Place, b: Place): number {
  if (a.account !== b.account) return a.account < b.account ? -1 : 1;
  return a.position - b.position || batchShares.indexOf(a.share) - batchShares.indexOf(b.share);
}

function members(list: readonly Address[], set: number): Address[] {
  return list.filter((_, index) => isIn(set, index));
}

function each(priceWei: Wei, bps: number, set: number): Wei {
  return set === 0 ? zeroWei : wei(BigInt(partOf(priceWei, bps)) / BigInt(sizeOf(set)));
}

function partOf(priceWei: Wei, bps: number): Wei {
  return wei((BigInt(priceWei) * BigInt(bps)) / 10_000n);
}
