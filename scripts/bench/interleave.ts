import { present } from '../../src/core/assert.ts';
import type { Row } from './figure.ts';

/** The middle value; the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return present(sorted[Math.floor(middle)], 'the middle value');
  return (present(sorted[middle - 1], 'a value') + present(sorted[middle], 'a value')) / 2;
}

/**
 * Runs every side once to warm up, then all of them round by round, in turn forwards and backwards (A B, B A, …),
 * so that whatever else the machine does meanwhile falls on all of them alike.
 *
 * @returns the samples of each side, one per round: samples of the same index belong together.
 */
export async function interleave<Side extends string, Sample>(
  rounds: number,
  sides: Readonly<Record<Side, (round: number) => Promise<Sample>>>,
): Promise<Record<Side, Sample[]>> {
  const names = Object.keys(sides) as Side[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Side, Sample[]>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await sides[name](round);
      if (round > 0) samples[name].push(sample);
    }
  }
  return samples;
}

/** The median of ours ÷ raw over rounds: noise that lasts longer than a round falls out of it. */
export function pairedRatio(ours: readonly number[], raw: readonly number[]): number {
  return median(ours.map((value, round) => value / present(raw[round], 'the raw sample of the round')));
}

/** A row from the samples of two sides. */
export function compared(
  row: Pick<Row, 'what' | 'unit' | 'against'>,
  ours: readonly number[],
  raw: readonly number[],
): Row {
  return { ...row, ours: median(ours), raw: median(raw), ratio: pairedRatio(ours, raw) };
}

/** How many of `count` things are done per second by `work`. */
export async function perSecond(count: number, work: () => Promise<void> | void): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - startedAt);
}
