import { expect, test } from 'vitest';
import type { Hex } from '../../core/hash.ts';
import { limits } from '../../core/limits.ts';
import type { ChainFact } from '../../ports/chain.ts';
import { BlockWindow } from './block-window.ts';
import type { FactBlock } from './recent-facts.ts';

function hash(number: number): Hex {
  return `0x${number.toString(16).padStart(64, '0')}`;
}

function ref(number: number): { number: number; hash: Hex } {
  return { number, hash: hash(number) };
}

function block(number: number, count = 1): FactBlock {
  const place = { block: number, blockHash: hash(number), blockAt: 0, txHash: hash(number), logIndex: 0 };
  const fact = { type: 'SessionDraining', session: `1-00000000-${number}`, place } as ChainFact;
  return { ...ref(number), facts: Array.from({ length: count }, () => fact) };
}

function numbers(blocks: readonly FactBlock[]): number[] {
  return blocks.map(({ number }) => number);
}

test('gives what follows a position, up to the tip', () => {
  const window = new BlockWindow(10, [block(12), block(15)], ref(15));
  window.append([block(18)], ref(20));
  for (const [position, expected] of [
    [10, [12, 15, 18]],
    [12, [15, 18]],
    [14, [15, 18]],
    [18, []],
  ] as const) {
    const { blocks, to } = window.after(position, 100);
    expect(numbers(blocks)).toEqual(expected);
    expect(to).toEqual(ref(20));
  }
});

test('gives about as many facts as asked for, whole blocks and one at least', () => {
  const window = new BlockWindow(0, [block(1, 3), block(2, 3), block(3, 50)], ref(9));
  expect(numbers(window.after(0, 3).blocks)).toEqual([1]);
  expect(window.after(0, 6).to).toEqual(block(2, 3));
  expect(numbers(window.after(0, 6).blocks)).toEqual([1, 2]);
  expect(numbers(window.after(2, 6).blocks)).toEqual([3]);
  expect(window.after(2, 6).to).toEqual(ref(9));
});

test('forgets what lies above the block it is rewound to', () => {
  const window = new BlockWindow(0, [block(1), block(5), block(6)], ref(9));
  window.rewind(ref(5));
  expect(numbers(window.blocks)).toEqual([1, 5]);
  window.append([], ref(6));
  expect(window.after(1, 9)).toEqual({ blocks: [block(5)], to: ref(6) });
});

test('holds a bounded number of blocks and says from where on', () => {
  const count = limits.chainWindowBlocksMax;
  const window = new BlockWindow(0, [], ref(0));
  window.append(
    Array.from({ length: count }, (_, index) => block(index + 1)),
    ref(count),
  );
  expect([window.start, window.blocks.length]).toEqual([0, count]);
  window.append([block(count + 1), block(count + 2)], ref(count + 2));
  expect([window.start, window.blocks.length]).toEqual([2, count]);
  expect(numbers(window.after(2, 1).blocks)).toEqual([3]);
  expect(() => window.after(1, 1)).toThrow('below the window');
  expect(() => window.rewind(ref(1))).toThrow('beyond its start');
});

test('only grows, and only at its end', () => {
  const window = new BlockWindow(0, [block(3)], ref(5));
  expect(() => window.append([], ref(5))).toThrow('only grows');
  expect(() => window.append([block(4)], ref(6))).toThrow('between the tips');
});
