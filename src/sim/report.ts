import { newcomer, type Outcome, reputationScore, reputationsOf } from '../../actors/router/reputation.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, Cid, TaskId } from '../core/ids.ts';
import type { Scheduling } from '../core/scheduling.ts';
import type { Settlement } from '../core/settlement.ts';
import { addWei, type Wei } from '../core/wei.ts';
import type { MoneyTotals } from '../ports/chain.ts';
import type { TaskRun } from './run-tasks.ts';

/** One finished task in a report. */
export interface ReportedTask {
  readonly task: TaskId | null;
  readonly prompt: string;
  readonly text: string | null;
  readonly winner: Address | null;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  /** The manifest: prompt, results, verdict and selection under one CID. */
  readonly cid: Cid | null;
  readonly priceWei: Wei;
  /** Why there is no answer; absent where there is one. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** One miner in a report. */
export interface ReportedMiner {
  readonly address: Address;
  /** The attack it ran; null for an honest one. */
  readonly attack: string | null;
  readonly assigned: number;
  readonly honest: number;
  readonly outlier: number;
  readonly timedOut: number;
  readonly earnedWei: Wei;
  readonly slashedWei: Wei;
  /** The public score, 0 to 1, recomputed from the outcomes. */
  readonly reputation: number;
}

/** Money of the whole deployment: stakes count as deposits. */
export interface ReportedMoney {
  readonly depositedWei: Wei;
  readonly paidWei: Wei;
  readonly refundedWei: Wei;
  readonly slashedWei: Wei;
  readonly escrowedWei: Wei;
  readonly balanceWei: Wei;
  readonly conserved: boolean;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** What `pouw sim --json` prints. */
export interface SimReport {
  readonly ok: boolean;
  readonly seed: string;
  /** How the routers found miners. */
  readonly scheduling: Scheduling;
  /** How its tasks were settled. */
  readonly settlement: Settlement;
  readonly tasks: {
    readonly submitted: number;
    readonly settled: number;
    readonly failed: number;
    readonly refunded: number;
  };
  readonly results: readonly ReportedTask[];
  readonly miners: readonly ReportedMiner[];
  readonly money: ReportedMoney;
  readonly latencyMs: Quantiles;
  readonly ttftMs: Quantiles;
  /** Output tokens of settled tasks per second of the whole run. */
  readonly tokensPerSecond: number;
  readonly log: { readonly dir: string; readonly commits: number; readonly events: number; readonly head: Hex };
  readonly chain: { readonly blocks: number; readonly transactions: number; readonly gasPerTask: number };
}

/** What a report is made from. */
export interface ReportInput {
  readonly seed: string;
  readonly scheduling: Scheduling;
  readonly settlement: Settlement;
  readonly runs: readonly TaskRun[];
  readonly wallMs: number;
  readonly miners: readonly {
    readonly address: Address;
    readonly attack: string | null;
    readonly earnedWei: Wei;
    readonly slashedWei: Wei;
  }[];
  readonly money: MoneyTotals;
  readonly log: SimReport['log'];
  readonly chain: SimReport['chain'];
}

/** Whether every $COR is where it must be: by the equation of the protocol, and by what the contracts hold. */
export function isMoneyConserved(money: MoneyTotals): boolean {
  const placed = addWei(money.balanceWei, money.escrowedWei, money.paidWei, money.refundedWei, money.slashedWei);
  const held = addWei(money.balanceWei, money.escrowedWei, money.unclaimedWei);
  return placed === money.depositedWei && held === money.heldWei;
}

/** The value below which a share of sorted values lies; 0 where there are none. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function quantiles(values: readonly number[]): Quantiles {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
}

/** Puts the report of a run together. */
export function simReport({
  seed,
  scheduling,
  settlement,
  runs,
  wallMs,
  miners,
  money,
  log,
  chain,
}: ReportInput): SimReport {
  const ended = (state: string): number => runs.filter((run) => run.view?.state === state).length;
  const settled = ended('settled');
  const refunded = ended('refunded');
  const failed = runs.length - settled - refunded;
  const conserved = isMoneyConserved(money);
  const { depositedWei, paidWei, refundedWei, slashedWei, escrowedWei, balanceWei } = money;
  const outputTokens = runs.reduce((sum, run) => sum + (run.view?.state === 'settled' ? run.view.outputTokens : 0), 0);
  const answered = runs.filter((run) => run.view?.state === 'settled');
  return {
    ok: failed === 0 && conserved && escrowedWei === '0',
    seed,
    scheduling,
    settlement,
    tasks: { submitted: runs.filter((run) => run.task !== null).length, settled, failed, refunded },
    results: runs.map(reportTask),
    miners: reportMiners(runs, miners),
    money: { depositedWei, paidWei, refundedWei, slashedWei, escrowedWei, balanceWei, conserved },
    latencyMs: quantiles(answered.map((run) => run.latencyMs)),
    ttftMs: quantiles(answered.flatMap((run) => (run.ttftMs === null ? [] : [run.ttftMs]))),
    tokensPerSecond: wallMs === 0 ? 0 : Math.round((outputTokens / wallMs) * 10_000) / 10,
    log,
    chain,
  };
}

function byVerdict(run: TaskRun, verdict: 'honest' | 'outlier'): Address[] {
  return run.view?.miners.filter((miner) => miner.verdict === verdict).map(({ miner }) => miner) ?? [];
}

function reportTask(run: TaskRun): ReportedTask {
  const { view, prompt, task, refusal } = run;
  const failure =
    refusal ??
    (view?.failure === null || view?.failure === undefined
      ? null
      : { code: view.failure.code, message: view.failure.reason });
  return {
    task,
    prompt,
    text: view?.text ?? null,
    winner: view?.winner ?? null,
    honest: byVerdict(run, 'honest'),
    outliers: byVerdict(run, 'outlier'),
    cid: view?.manifest ?? null,
    priceWei: view?.priceWei ?? ('0' as Wei),
    ...(failure === null ? {} : { failure }),
  };
}

function reportMiners(runs: readonly TaskRun[], miners: ReportInput['miners']): ReportedMiner[] {
  const outcomes = runs.flatMap((run): Outcome[] => {
    if (run.task === null || run.view === null) return [];
    const timedOut = run.view.miners.filter((miner) => miner.phase === 'timed-out').map(({ miner }) => miner);
    return [
      {
        task: run.task,
        honest: byVerdict(run, 'honest'),
        outliers: byVerdict(run, 'outlier'),
        timedOut,
        tokensPerSecond: {},
      },
    ];
  });
  const reputations = reputationsOf(outcomes);
  return miners.map(({ address, attack, earnedWei, slashedWei }) => {
    const known = reputations.get(address) ?? newcomer;
    const assigned = runs.filter((run) => run.view?.miners.some(({ miner }) => miner === address) === true).length;
    return {
      address,
      attack,
      assigned,
      honest: known.honest,
      outlier: known.outlier,
      timedOut: known.timedOut,
      earnedWei,
      slashedWei,
      reputation: reputationScore(known),
    };
  });
}
