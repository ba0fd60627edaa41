import { afterEach, describe, expect, it } from 'vitest';
import { anchoredOrder, isAnchoredOrder, markAt } from './anchored-order.ts';
import { sha256 } from './hash.ts';
import type { Json } from './json.ts';
import { limits } from './limits.ts';

const bounds = limits as { anchoredOrderCommitsMax: number };
const real = { ...bounds };
afterEach(() => void Object.assign(bounds, real));

const hashes = ['a', 'b', 'c'].map(sha256);

describe('the order of commits', () => {
  it('is a digest over their hashes one after the other, and the beginning of each', () => {
    expect(anchoredOrder(7, hashes)).toEqual({
      from: 7,
      to: 9,
      digest: `0x${sha256(Buffer.from(hashes.join(''), 'hex'))}`,
      marks: hashes.map((hash) => hash.slice(0, 8)).join(''),
    });
    expect(anchoredOrder(7, [])).toBeNull();
  });

  it('says what is at a position', () => {
    const order = anchoredOrder(7, hashes);
    if (order === null) throw new Error('there is an order of three commits');
    expect([7, 8, 9].map((position) => markAt(order, position))).toEqual(hashes.map((hash) => hash.slice(0, 8)));
  });

  it('is read back, and nothing else is', () => {
    const order = anchoredOrder(7, hashes);
    if (order === null) throw new Error('there is an order of three commits');
    expect(isAnchoredOrder(order)).toBe(true);
    const wrong: unknown[] = [
      undefined,
      null,
      [],
      { ...order, more: 1 },
      { ...order, from: 0 },
      { ...order, to: 10 },
      { ...order, to: 6 },
      { ...order, from: 7.5 },
      { ...order, digest: '0x12' },
      { ...order, marks: order.marks.slice(8) },
      { ...order, marks: order.marks.replace(/^./, 'x') },
    ];
    for (const value of wrong) expect(isAnchoredOrder(value as Json), JSON.stringify(value)).toBe(false);
  });

  it('of more commits than an anchor binds is refused', () => {
    bounds.anchoredOrderCommitsMax = 2;
    expect(isAnchoredOrder(anchoredOrder(1, hashes.slice(1)))).toBe(true);
    expect(isAnchoredOrder(anchoredOrder(1, hashes))).toBe(false);
  });
});
