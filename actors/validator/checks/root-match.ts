import type { Check } from './check.ts';

const name = 'root-match';

/** The content must be there and hash to the root that was revealed: a miner cannot pay in promises. */
export const rootMatch: Check = {
  name,
  level: 0,
  run({ results }) {
    const outliers = results.flatMap(({ miner, content }) => {
      if (content === 'matches') return [];
      const reason = content === 'missing' ? 'The content cannot be had.' : 'The content does not hash to its root.';
      return [{ miner, check: name, reason }];
    });
    return { outliers, inconclusive: false };
  },
};
