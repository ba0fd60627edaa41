import type { Address } from '../../../src/core/ids.ts';

/**
 * What a validator found about one result: `matches` where the content is there and hashes to its root,
 * `differs` where it hashes to something else, `missing` where nobody delivers it; `proven` where nobody delivers it and
 * another result of the same root is there, so that the answer is known.
 */
export type ContentState = 'matches' | 'proven' | 'differs' | 'missing';

/** A result as a validator saw it. */
export type ScoredResult = {
  readonly miner: Address;
  readonly content: ContentState;
  /** Tokens of prompt and answer as the result claims them; 0 where there is no content. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Token ids that are really in the content. */
  readonly tokens: number;
};

/** What a check looks at: the results that passed the checks before it, and how alike they are. */
export interface CheckInput {
  readonly results: readonly ScoredResult[];
  readonly similarityBps: number;
  /** Tokens of the prompt as the validator counts them; null where it does not have the model. */
  readonly promptTokens: number | null;
  /** Cosine similarity of two miners' answers, −1 to 1, rounded to 6 decimals. */
  readonly similarity: (a: Address, b: Address) => number;
}

/** A miner that a check names, and why. */
export type Outlier = { readonly miner: Address; readonly check: string; readonly reason: string };

/** What a check found. `inconclusive` where it cannot tell who is right: then it names nobody. */
export interface CheckResult {
  readonly outliers: readonly Outlier[];
  readonly inconclusive: boolean;
}

/** One check of results. Pure: same input, same findings, on every machine. */
export interface Check {
  readonly name: string;
  /** The validation level from which it is run. */
  readonly level: number;
  run(input: CheckInput): CheckResult;
}
