import { assert } from '../../src/core/assert.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import type { MinerScore } from '../task/events.ts';
import type { CheckInput, Outlier, ScoredResult } from './checks/check.ts';
import { checks } from './checks/table.ts';

/** What a verdict is made from. `similarities[i][j]` is the cosine similarity of answers i and j, in the order of `results`. */
export type VerdictInput = {
  readonly level: number;
  readonly similarityBps: number;
  readonly results: readonly ScoredResult[];
  readonly similarities: readonly (readonly number[])[];
  /** Tokens of the prompt as the validator counts them; null where it does not have the model. */
  readonly promptTokens: number | null;
};

/** Who won, who is honest and who is not. All lists in order of address. */
export type Verdict = {
  /** Null where no result passed. */
  readonly winner: Address | null;
  readonly honest: readonly Address[];
  readonly outliers: readonly Outlier[];
  /** True where the answers split with no majority: then all that passed the other checks are honest. */
  readonly inconclusive: boolean;
  readonly scores: readonly MinerScore[];
  /** The winner's counts. */
  readonly promptTokens: number;
  readonly outputTokens: number;
};

/** The verdict as content: what `reportDigest` names. */
export type VerdictReport = Verdict & {
  readonly kind: 'report';
  readonly v: 1;
  readonly task: TaskId;
  readonly validator: Address;
  readonly level: number;
  readonly similarityBps: number;
};

const byAddress = (a: { readonly miner: Address }, b: { readonly miner: Address }): number =>
  a.miner < b.miner ? -1 : 1;

function round6(value: number): number {
  return Math.round(value * 1_000_000) / 1_000_000;
}

/** Runs every check of the level over the results and lets the medoid of those that pass win. */
export function reachVerdict(input: VerdictInput): Verdict {
  const { level, similarityBps, promptTokens } = input;
  const similarity = lookUp(input);
  let results = input.results.toSorted(byAddress);
  const outliers: Outlier[] = [];
  let inconclusive = false;
  for (const check of checks) {
    if (check.level > level) continue;
    const found = check.run({ results, similarityBps, promptTokens, similarity });
    const named = new Set(found.outliers.map(({ miner }) => miner));
    results = results.filter(({ miner }) => !named.has(miner));
    outliers.push(...found.outliers);
    inconclusive ||= found.inconclusive;
  }
  const winner = medoid(results, similarity);
  return {
    winner: winner?.miner ?? null,
    honest: results.map(({ miner }) => miner),
    outliers: outliers.toSorted(byAddress),
    inconclusive,
    scores: input.results.toSorted(byAddress).map((result) => scoreOf(result, input.results, similarity)),
    promptTokens: winner?.promptTokens ?? 0,
    outputTokens: winner?.outputTokens ?? 0,
  };
}

function lookUp({ results, similarities }: VerdictInput): CheckInput['similarity'] {
  const place = new Map(results.map(({ miner }, index) => [miner, index]));
  assert(place.size === results.length, 'each miner has one result');
  return (a, b) => {
    const value = similarities[place.get(a) ?? -1]?.[place.get(b) ?? -1];
    assert(value !== undefined && Number.isFinite(value), `no similarity of ${a} and ${b}`);
    return round6(value);
  };
}

/** Mean similarity to the other answers; 1 for the only one. */
function meanSimilarity(miner: Address, among: readonly ScoredResult[], similarity: CheckInput['similarity']): number {
  const others = among.filter((other) => other.miner !== miner);
  if (others.length === 0) return 1;
  return round6(others.reduce((sum, other) => sum + similarity(miner, other.miner), 0) / others.length);
}

/** The answer nearest to all others that can be had; the lower address where two are equally near. */
function medoid(results: readonly ScoredResult[], similarity: CheckInput['similarity']): ScoredResult | undefined {
  const had = results.filter(({ content }) => content === 'matches');
  const ranked = had.map((result) => ({ result, mean: meanSimilarity(result.miner, results, similarity) }));
  return ranked.toSorted((a, b) => b.mean - a.mean || byAddress(a.result, b.result))[0]?.result;
}

function scoreOf(
  result: ScoredResult,
  results: readonly ScoredResult[],
  similarity: CheckInput['similarity'],
): MinerScore {
  return { miner: result.miner, similarity: meanSimilarity(result.miner, results, similarity), tokens: result.tokens };
}
