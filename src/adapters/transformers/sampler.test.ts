import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hex } from '../../core/hash.ts';
import type { Sampling } from '../../ports/inference.ts';
import { draw, pickToken } from './sampler.ts';

const seed: Hex = `0x${'11'.repeat(32)}`;
const off: Sampling = { temperature: 1, topP: 1, topK: 0, seed };
const seedOf = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;

/** How often each token is picked over many positions. */
function frequencies(logits: Float32Array, sampling: Sampling, draws = 4_000): number[] {
  const counts = Array.from(logits, () => 0);
  for (let position = 0; position < draws; position++) {
    const id = pickToken(logits, sampling, position);
    counts[id] = (counts[id] ?? 0) + 1 / draws;
  }
  return counts;
}

describe('draw', () => {
  it('is what anyone computes from seed and position', () => {
    // keccak256(abi.encode(seed, 0)) and (seed, 1), as `cast keccak` gives them, their first 53 bits over 2^53.
    expect(draw(seed, 0)).toBe(0.3611714372918855);
    expect(draw(seed, 1)).toBe(0.4918706046701654);
  });

  it('is uniform in [0, 1)', () => {
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let position = 0; position < 10_000; position++) {
      const value = draw(seed, position);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
      const bucket = Math.floor(value * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    // Five standard deviations of a bucket of a fair draw.
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

describe('pickToken', () => {
  it('is greedy at temperature 0, the lowest id on ties, whatever the rest says', () => {
    const logits = Float32Array.of(1, 3, 2, 3);
    expect(pickToken(logits, { temperature: 0, topP: 0.1, topK: 2, seed }, 5)).toBe(1);
  });

  it('follows the distribution of the model at temperature 1', () => {
    const wanted = [0.5, 0.3, 0.15, 0.05];
    const seen = frequencies(Float32Array.from(wanted, Math.log), off);
    for (const [id, share] of wanted.entries()) expect(seen[id]).toBeCloseTo(share, 1);
  });

  it('sharpens below temperature 1 and flattens above', () => {
    const logits = Float32Array.from([0.6, 0.4], Math.log);
    expect(frequencies(logits, { ...off, temperature: 0.25 })[0]).toBeCloseTo(0.6 ** 4 / (0.6 ** 4 + 0.4 ** 4), 1);
    expect(frequencies(logits, { ...off, temperature: 2 })[0]).toBeCloseTo(0.6 ** 0.5 / (0.6 ** 0.5 + 0.4 ** 0.5), 1);
  });

  it('keeps the k best, lower ids first on ties', () => {
    const logits = Float32Array.of(0, 2, 1, 2, 1);
    const seen = frequencies(logits, { ...off, topK: 3 }, 2_000);
    expect(seen.map((share) => share > 0)).toEqual([false, true, true, true, false]);
  });

  it('keeps the fewest that hold topP, lower ids first on ties, and always one', () => {
    const logits = Float32Array.from([0.1, 0.4, 0.1, 0.4], Math.log);
    const kept = (topP: number): boolean[] => frequencies(logits, { ...off, topP }, 2_000).map((share) => share > 0);
    expect(kept(0)).toEqual([false, true, false, false]);
    expect(kept(0.75)).toEqual([false, true, false, true]);
    expect(kept(0.85)).toEqual([true, true, false, true]);
    expect(kept(1)).toEqual([true, true, true, true]);
  });

  it('agrees with sorting everything, for any logits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 70 }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        fc.float({ min: Math.fround(0.1), max: 2, noNaN: true }),
        fc.nat(),
        (values, topK, topP, temperature, number) => {
          const logits = Float32Array.from(values);
          const sampling = { temperature, topP, topK, seed: seedOf(number) };
          expect(pickToken(logits, sampling, number % 7)).toBe(bySorting(logits, sampling, number % 7));
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });

  it('refuses logits that are no numbers', () => {
    const broken = Float32Array.of(Number.NaN, Number.NaN);
    for (const temperature of [0, 1]) {
      expect(() => pickToken(broken, { ...off, temperature }, 0)).toThrow(
        expect.objectContaining({ code: 'inference_failed' }),
      );
    }
  });

  it('never picks a token of no weight', () => {
    const logits = Float32Array.of(-Infinity, 0, -Infinity, 0, -Infinity);
    for (let position = 0; position < 500; position++) expect([1, 3]).toContain(pickToken(logits, off, position));
  });
});

/** The definition, written the slow way: sort all, cut, walk. */
function bySorting(logits: Float32Array, sampling: Sampling, position: number): number {
  const max = Math.max(...logits);
  const order = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]! || a - b);
  const cut = sampling.topK > 0 ? order.slice(0, sampling.topK) : order;
  const weight = (id: number): number => Math.exp((logits[id]! - max) / sampling.temperature);
  const inOrder = cut.toSorted((a, b) => a - b);
  const total = inOrder.reduce((sum, id) => sum + weight(id), 0);
  const kept: number[] = [];
  let held = 0;
  for (const id of cut.toSorted((a, b) => weight(b) - weight(a) || a - b)) {
    kept.push(id);
    held += weight(id);
    if (sampling.topP < 1 && held >= sampling.topP * total) break;
  }
  const walk = kept.toSorted((a, b) => a - b).filter((id) => weight(id) > 0);
  const target = draw(sampling.seed, position) * walk.reduce((sum, id) => sum + weight(id), 0);
  let cumulated = 0;
  for (const id of walk) {
    cumulated += weight(id);
    if (cumulated > target) return id;
  }
  return walk.at(-1)!;
}
