import type { Check, CheckInput, ScoredResult } from './check.ts';

const name = 'token-count';

function complaint(
  { tokens, outputTokens, promptTokens }: ScoredResult,
  { promptTokens: counted }: CheckInput,
): string | undefined {
  if (outputTokens !== tokens) return `It claims ${outputTokens} output tokens and holds ${tokens}.`;
  if (counted !== null && promptTokens !== counted)
    return `It claims ${promptTokens} prompt tokens; there are ${counted}.`;
  return undefined;
}

/** The claimed counts are what the client pays for, so they must be the counts of the content. */
export const tokenCount: Check = {
  name,
  level: 1,
  run(input) {
    const outliers = input.results.flatMap((result) => {
      const reason = complaint(result, input);
      return reason === undefined ? [] : [{ miner: result.miner, check: name, reason }];
    });
    return { outliers, inconclusive: false };
  },
};
