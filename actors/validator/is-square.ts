import type { Address } from '../../src/core/ids.ts';
import type { ScoredResult } from './checks/check.ts';

/**
 * Whether scores are one for each result, in their order, each result of another miner, and similarities one row and
 * column for each.
 */
export function isSquare(
  asked: readonly { readonly miner: Address }[],
  results: readonly ScoredResult[],
  similarities: readonly (readonly number[])[],
): boolean {
  const sameMiners =
    asked.length === results.length && asked.every(({ miner }, index) => results[index]?.miner === miner);
  const isEachAnother = new Set(asked.map(({ miner }) => miner)).size === asked.length;
  return (
    sameMiners &&
    isEachAnother &&
    similarities.length === results.length &&
    similarities.every((row) => row.length === results.length && row.every(Number.isFinite))
  );
}
