import type { Check } from './check.ts';

const name = 'root-match';

/**
 * The content must be there and hash to the root that was revealed: a miner cannot pay in promises. Where another was bound
 * to the same root and its content is there, it is there for both.
 */
export const rootMatch: Check = {
  name,
  level: 0,
  run({ results }) {
    const outliers = results.flatMap(({ miner, content }) => {
      if (content === 'matches' || content === 'proven') return [];
      const reason = content === 'missing' ? 'The content cannot be had.' : 'The content does not hash to its root.';
      return [{ miner, check: name, reason }];
    });
    return { outliers, inconclusive: false };
  },
};
