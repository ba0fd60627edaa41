import { expect, test } from 'vitest';
import { type Hex, keccakWords } from './hash.ts';
import { drawLooksMax, drawMembers } from './round-draw.ts';

const seedOf = (number: number): Hex => keccakWords([number]);
const pool = ['a', 'b', 'c', 'd', 'e', 'f'];

test('a draw takes distinct fit members, as many as wanted or as there are', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const drawn = drawMembers(pool, seedOf(seed), 4, (member) => member !== 'b');
    expect(new Set(drawn).size).toBe(4);
    expect(drawn).not.toContain('b');
    expect(drawMembers(pool, seedOf(seed), 9, () => true).toSorted()).toEqual(pool);
  }
});

test('everybody is as likely, whoever else is unfit', () => {
  const counts = new Map(pool.map((member) => [member, 0]));
  const runs = 5_000;
  for (let seed = 0; seed < runs; seed += 1)
    for (const member of drawMembers(pool, seedOf(seed), 2, (one) => one !== 'c'))
      counts.set(member, (counts.get(member) ?? 0) + 1);
  expect(counts.get('c')).toBe(0);
  // Two of five each time: 2,000 with a standard deviation of 35.
  for (const member of ['a', 'b', 'd', 'e', 'f']) expect(Math.abs((counts.get(member) ?? 0) - 2_000)).toBeLessThan(175);
});

test('a draw looks at a bounded number of members', () => {
  let looks = 0;
  const many = Array.from({ length: 1_000 }, (_, place) => place);
  const isFit = (): boolean => {
    looks += 1;
    return false;
  };
  expect(drawMembers(many, seedOf(1), 5, isFit)).toEqual([]);
  expect(looks).toBe(drawLooksMax);
});
