import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { BlockStall } from './block-stall.ts';

const most = limits.chainStallWarnMs;

test('a chain that stands still is told of once, at the bound', () => {
  const stall = new BlockStall();
  expect(stall.note(7, 1_000)).toBeUndefined();
  expect(stall.note(7, 1_000 + most - 1)).toBeUndefined();
  expect(stall.note(7, 1_000 + most)).toBe(most);
  expect(stall.note(7, 1_000 + 5 * most)).toBeUndefined();
});

test('each new block begins anew', () => {
  const stall = new BlockStall();
  stall.note(7, 0);
  expect(stall.note(7, most)).toBe(most);
  expect(stall.note(8, 2 * most)).toBeUndefined();
  expect(stall.note(8, 3 * most - 1)).toBeUndefined();
  expect(stall.note(8, 3 * most)).toBe(most);
});
