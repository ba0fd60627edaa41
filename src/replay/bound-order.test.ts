import { expect, test } from 'vitest';
import { commitChain, testStream } from '../../test/features/commits.ts';
import { type AnchoredOrder, anchoredOrder } from '../core/anchored-order.ts';
import type { Hex } from '../core/hash.ts';
import { toAddress } from '../core/ids.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { BoundOrder } from './bound-order.ts';
import type { ChainAnchor } from './source.ts';

const log: StoredCommit[] = commitChain(testStream('log'), 9).map((commit, index) => ({ commit, position: index + 1 }));
const hashes = log.map(({ commit }) => commit.hash);

/** The order of these positions as it is. */
const orderOf = (from: number, to: number): AnchoredOrder => anchoredOrder(from, hashes.slice(from - 1, to))!;

function anchor(order: AnchoredOrder | null | undefined, epoch = 1): ChainAnchor {
  const zero: Hex = `0x${'00'.repeat(32)}`;
  const [by, place] = [toAddress(`0x${'11'.repeat(20)}`), { block: 1, txHash: zero, root: zero, manifestDigest: zero }];
  const manifest = order === undefined ? null : { v: 2, prev: null, prevRoot: zero, heads: [], order };
  return { epoch, by, ...place, commits: 0, manifest };
}

/** Whether the positions from one to another are bound, the log read to its end. */
function holds(orders: readonly (AnchoredOrder | null | undefined)[], from: number, to: number, read = log): boolean {
  const order = new BoundOrder(
    orders.map((one, index) => anchor(one, index + 1)),
    from,
  );
  for (const stored of read) order.take(stored);
  return order.holds(to);
}

test('all new positions are bound by orders that follow each other or overlap', () => {
  expect(holds([orderOf(1, 4), orderOf(5, 9)], 1, 9)).toBe(true);
  expect(holds([orderOf(3, 9), orderOf(1, 4)], 1, 9)).toBe(true);
  expect(holds([orderOf(1, 9), orderOf(2, 3)], 1, 9)).toBe(true);
  expect(holds([orderOf(1, 4)], 1, 5)).toBe(false);
  expect(holds([orderOf(1, 4), orderOf(6, 9)], 1, 9)).toBe(false);
  expect(holds([], 1, 1)).toBe(false);
});

test('what is not new needs no order, and nothing new none at all', () => {
  expect(holds([orderOf(4, 9)], 5, 9)).toBe(true);
  expect(holds([orderOf(6, 9)], 5, 9)).toBe(false);
  expect(holds([], 10, 9)).toBe(true);
});

test('anchors without an order, or without content, bind nothing', () => {
  expect(holds([null, undefined, orderOf(1, 9)], 1, 9)).toBe(true);
  expect(holds([null, undefined], 1, 9)).toBe(false);
});

test('an order of other commits binds nothing, and takes nothing from one that fits', () => {
  const other = { ...orderOf(5, 9), digest: orderOf(1, 5).digest };
  expect(holds([orderOf(1, 4), other], 1, 9)).toBe(false);
  expect(holds([orderOf(1, 4), other, orderOf(3, 9)], 1, 9)).toBe(true);
});

test('commits that are missing, or that do not count, have their places', () => {
  const without = log.filter(({ position }) => position !== 3);
  expect(holds([orderOf(1, 9)], 1, 9, without)).toBe(false);
  expect(holds([orderOf(3, 9)], 3, 9, without), 'the first of an order').toBe(false);
  const passing = without.map((stored) => (stored.position === 4 ? { ...stored, passed: [hashes[2]!] } : stored));
  expect(holds([orderOf(1, 9)], 1, 9, passing)).toBe(true);
});

test('an order that reaches beyond what was read binds nothing', () => {
  expect(holds([orderOf(1, 9)], 1, 9, log.slice(0, 8))).toBe(false);
});
