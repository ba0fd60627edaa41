import { describe, expect, it } from 'vitest';
import { scoreTokens } from './logprobs.ts';

describe('scoreTokens', () => {
  const shares = [0.1, 0.4, 0.1, 0.25, 0.15];
  const logits = Float32Array.from(shares, (share) => Math.log(share) + 3);

  it('is the log-softmax of the raw logits', () => {
    const { chosen, top } = scoreTokens(logits, 2, 5);
    expect(chosen.id).toBe(2);
    expect(Math.exp(chosen.logprob)).toBeCloseTo(0.1, 6);
    expect(top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 12);
  });

  it('names the best first, lower ids first on ties', () => {
    expect(scoreTokens(logits, 0, 3).top.map(({ id }) => id)).toEqual([1, 3, 4]);
    expect(scoreTokens(logits, 0, 9).top.map(({ id }) => id)).toEqual([1, 3, 4, 0, 2]);
    expect(scoreTokens(Float32Array.of(1, 1, 1), 0, 2).top.map(({ id }) => id)).toEqual([0, 1]);
  });

  it('survives logits too large to exponentiate', () => {
    expect(scoreTokens(Float32Array.of(1_000, 0), 0, 1).chosen.logprob).toBeCloseTo(0, 12);
  });
});
