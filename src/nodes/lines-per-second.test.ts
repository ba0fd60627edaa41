import { expect, test } from 'vitest';
import { LinesPerSecond } from './lines-per-second.ts';

test('so many lines pass in a second, and the next one says how many did not', () => {
  const lines = new LinesPerSecond(3);
  expect([0, 1, 500].map((at) => lines.next(at))).toEqual([0, 0, 0]);
  expect([501, 900, 999].map((at) => lines.next(at))).toEqual([undefined, undefined, undefined]);
  expect([1_000, 1_001].map((at) => lines.next(at))).toEqual([3, 0]);
});
