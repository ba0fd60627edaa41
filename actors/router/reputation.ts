import type { Address, TaskId } from '../../src/core/ids.ts';

/** What came of one task: who delivered well, who delivered something else, who did not deliver. */
export type Outcome = {
  readonly task: TaskId;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly timedOut: readonly Address[];
  /** Measured speed of those that streamed, in tokens per second. */
  readonly tokensPerSecond: { readonly [miner: Address]: number };
};

/** What one task says about one node. */
export type Finding = 'honest' | 'outlier' | 'timedOut';

/** A node's history in a few numbers. The averages are 0 to 1, rounded to 6 decimals. */
export type Reputation = {
  readonly honest: number;
  readonly outlier: number;
  readonly timedOut: number;
  /** Share of tasks it did well. */
  readonly success: number;
  /** Share of its answers that agreed with the others'. */
  readonly accuracy: number;
  /** Share of tasks it delivered in time. */
  readonly timeliness: number;
  /** Tokens per second, exponentially weighted; 0 until measured. */
  readonly tokensPerSecond: number;
  /** Tasks done well in a row. */
  readonly streak: number;
  /** 0 for a newcomer to 10. */
  readonly level: number;
};

/** A node nobody has seen work: one half in everything. */
export const newcomer: Reputation = {
  honest: 0,
  outlier: 0,
  timedOut: 0,
  success: 0.5,
  accuracy: 0.5,
  timeliness: 0.5,
  tokensPerSecond: 0,
  streak: 0,
  level: 0,
};

/** The weight of the newest observation once there are many: about the last 20 tasks count. */
const alpha = 0.1;
const levelMax = 10;
/** Tasks done well in a row for the next level. */
const streakPerLevel = 3;

function round6(value: number): number {
  return Math.round(value * 1_000_000) / 1_000_000;
}

/**
 * The average after one more observation. The first ones follow Laplace's rule of succession,
 * `(good + 1) / (all + 2)`; once their step would be smaller than `alpha`, old ones fade exponentially.
 */
function average(before: number, seen: number, value: 0 | 1): number {
  return round6(before + (value - before) * Math.max(1 / (seen + 3), alpha));
}

/** A reputation after one more task. `tokensPerSecond` only where it was measured. */
export function reputationAfter(before: Reputation, finding: Finding, tokensPerSecond?: number): Reputation {
  const { honest, outlier, timedOut } = before;
  const delivered = honest + outlier;
  const all = delivered + timedOut;
  const success = average(before.success, all, finding === 'honest' ? 1 : 0);
  const streak = finding === 'honest' ? before.streak + 1 : 0;
  return {
    honest: honest + (finding === 'honest' ? 1 : 0),
    outlier: outlier + (finding === 'outlier' ? 1 : 0),
    timedOut: timedOut + (finding === 'timedOut' ? 1 : 0),
    success,
    accuracy:
      finding === 'timedOut' ? before.accuracy : average(before.accuracy, delivered, finding === 'honest' ? 1 : 0),
    timeliness: average(before.timeliness, all, finding === 'timedOut' ? 0 : 1),
    tokensPerSecond: speedAfter(before.tokensPerSecond, tokensPerSecond),
    streak,
    level: levelAfter(before.level, finding, streak, success),
  };
}

function speedAfter(before: number, measured: number | undefined): number {
  if (measured === undefined || !Number.isFinite(measured) || measured <= 0) return before;
  return round6(before === 0 ? measured : before + (measured - before) * alpha);
}

/** Up one for every three tasks done well in a row while the success rate is above the level's tenth; down one for a time-out, three for an outlier. */
function levelAfter(level: number, finding: Finding, streak: number, success: number): number {
  if (finding === 'timedOut') return Math.max(0, level - 1);
  if (finding === 'outlier') return Math.max(0, level - 3);
  const rises = streak % streakPerLevel === 0 && success > level / levelMax;
  return rises ? Math.min(levelMax, level + 1) : level;
}

/** The public score, 0 to 1: `0.5 · accuracy + 0.3 · success + 0.2 · timeliness`. A newcomer has 0.5. */
export function reputationScore({ accuracy, success, timeliness }: Reputation): number {
  return round6(0.5 * accuracy + 0.3 * success + 0.2 * timeliness);
}

/** What an outcome says about each node in it. */
export function findings({ honest, outliers, timedOut }: Outcome): readonly (readonly [Address, Finding])[] {
  return [
    ...honest.map((node) => [node, 'honest'] as const),
    ...outliers.map((node) => [node, 'outlier'] as const),
    ...timedOut.map((node) => [node, 'timedOut'] as const),
  ];
}

/** The reputations that a list of outcomes, oldest first, leads to: what anyone can recompute from the log. */
export function reputationsOf(outcomes: readonly Outcome[]): ReadonlyMap<Address, Reputation> {
  const reputations = new Map<Address, Reputation>();
  for (const outcome of outcomes) {
    for (const [node, finding] of findings(outcome)) {
      reputations.set(node, reputationAfter(reputations.get(node) ?? newcomer, finding, outcome.tokensPerSecond[node]));
    }
  }
  return reputations;
}
