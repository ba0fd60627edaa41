import { encodeAbiParameters, keccak256 } from 'viem';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appealKey, drawForAppeal, missingFromDraw } from './appeal-draw.ts';
import type { Hex } from './hash.ts';
import { type TaskId, toAddress } from './ids.ts';

const task = `0x${'07'.repeat(32)}` as TaskId;
const beacon: Hex = `0x${'0b'.repeat(32)}`;
const nodes = Array.from({ length: 12 }, (_, index) => toAddress(`0x${(index + 1).toString(16).padStart(40, '0')}`));

test('a key is what the contract computes', () => {
  for (const node of nodes) {
    const types = [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'address' }] as const;
    expect(appealKey(beacon, task, node)).toBe(BigInt(keccak256(encodeAbiParameters(types, [beacon, task, node]))));
  }
});

test('whoever names what is missing, in whatever order, the draw is one among all', () => {
  const all = drawForAppeal({ task, beacon, wanted: 5, drawn: [] }, nodes);
  expect(all).toHaveLength(5);
  fc.assert(
    fc.property(fc.shuffledSubarray(nodes), (known) => {
      const before = drawForAppeal({ task, beacon, wanted: 5, drawn: [] }, known);
      const missing = missingFromDraw({ task, beacon, wanted: 5, drawn: before }, nodes);
      expect(missing.some((node) => before.includes(node))).toBe(false);
      const merged = drawForAppeal({ task, beacon, wanted: 5, drawn: [] }, [...before, ...missing]);
      expect(merged).toEqual(all);
      expect(missingFromDraw({ task, beacon, wanted: 5, drawn: merged }, nodes)).toEqual([]);
    }),
  );
});

test('where there are fewer than wanted all are drawn', () => {
  expect(drawForAppeal({ task, beacon, wanted: 5, drawn: [] }, nodes.slice(0, 3))).toHaveLength(3);
  expect(missingFromDraw({ task, beacon, wanted: 5, drawn: [] }, [])).toEqual([]);
});
