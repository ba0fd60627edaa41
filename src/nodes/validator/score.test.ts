import { expect, test } from 'vitest';
import { contentWaitMs } from './score.ts';

test('a result has half of the time to the attestations to arrive, and five seconds at least', () => {
  expect(contentWaitMs(61_000, 1_000)).toBe(30_000);
  expect(contentWaitMs(11_002, 1_000)).toBe(5_001);
  expect(contentWaitMs(11_000, 1_000)).toBe(5_000);
  expect(contentWaitMs(0, 1_000)).toBe(5_000);
});
