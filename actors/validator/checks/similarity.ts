import type { Address } from '../../../src/core/ids.ts';
import type { Check, CheckInput } from './check.ts';

const name = 'similarity';

/** Two answers agree from this similarity on. Compared in millionths, so that rounding is the same everywhere. */
function agree({ similarity, similarityBps }: CheckInput, a: Address, b: Address): boolean {
  return Math.round(similarity(a, b) * 1_000_000) >= similarityBps * 100;
}

/**
 * Groups of answers that agree, directly or through others (connected components, single linkage), the
 * largest first. Complete linkage would be stricter, but where A agrees with B and B with C, and A not with
 * C, it has two equally large groups, and a tie-break would cost an honest miner its stake. Components are
 * a partition: no order and no tie-break can name anybody. The price: two colluders, one half-way between
 * right and wrong, can bridge a wrong answer into the group; it is paid its share, but it does not win,
 * because the medoid is the answer nearest to all others.
 */
export function clusters(input: CheckInput): Address[][] {
  const left = new Set(input.results.map(({ miner }) => miner).toSorted());
  const found: Address[][] = [];
  for (const first of left) {
    left.delete(first);
    const cluster = [first];
    for (const member of cluster) {
      for (const other of left) {
        if (!agree(input, member, other)) continue;
        left.delete(other);
        cluster.push(other);
      }
    }
    found.push(cluster.toSorted());
  }
  return found.toSorted((a, b) => b.length - a.length);
}

/**
 * The answers outside the largest group are outliers, if that group is a strict majority. Else the check
 * is inconclusive and names nobody: being wrong about an honest miner is as bad as missing a cheat.
 */
export const similarity: Check = {
  name,
  level: 1,
  run(input) {
    const [largest = [], ...others] = clusters(input);
    if (largest.length * 2 <= input.results.length) return { outliers: [], inconclusive: input.results.length > 0 };
    const reason = `Its answer agrees with none of the ${largest.length} that agree.`;
    return { outliers: others.flat().map((miner) => ({ miner, check: name, reason })), inconclusive: false };
  },
};
