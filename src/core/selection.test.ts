import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Hex, keccakWords } from './hash.ts';
import { type Address, type TaskId, toAddress } from './ids.ts';
import { limits } from './limits.ts';
import { lnWad, wad } from './ln-wad.ts';
import { boundedCandidates, boundedWeight, rankByRendezvous, selectionKey, type WeightedNode } from './selection.ts';

/** The contract is held to the same file by `contracts/test/fuzz/Selection.t.sol`, which makes the same inputs. */
const file = new URL('../../contracts/test/vectors/selection.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly seed: Hex;
  readonly logarithms: number;
  readonly logarithmsDigest: Hex;
  readonly draws: number;
  readonly drawsDigest: Hex;
};

const zero: Hex = `0x${'00'.repeat(32)}`;
const addressOf = (word: Hex): Address => toAddress(`0x${word.slice(26)}`);
const beacon = keccakWords([zero, 1]);
const task = keccakWords([zero, 2]) as TaskId;
const node = (index: number): Address => addressOf(keccakWords([zero, index, 3]));

test('logarithms have the same bits on chain and off it', () => {
  let digest = zero;
  for (let index = 0; index < vectors.logarithms; index++) {
    const of = (BigInt(keccakWords([vectors.seed, index])) >> BigInt(1 + (index % 250))) + 1n;
    digest = keccakWords([digest, BigInt.asUintN(256, lnWad(of))]);
  }
  expect(digest).toBe(vectors.logarithmsDigest);
});

test('draws have the same order on chain and off it', () => {
  let digest = zero;
  for (let index = 0; index < vectors.draws; index++) {
    const salt = keccakWords([vectors.seed, index, 1]);
    const candidates = Array.from({ length: 1 + (index % limits.candidatesMax) }, (_, place): WeightedNode => {
      const word = keccakWords([salt, place]);
      // Small weights often, so that equal ones and extremes are among them.
      const weight = 1 + Number((BigInt(word) >> 160n) % (index % 2 === 0 ? 3n : BigInt(limits.selectionWeightMax)));
      return { node: addressOf(word), weight };
    });
    const ranking = rankByRendezvous(salt, keccakWords([salt, 1_000]) as TaskId, candidates);
    for (const each of ranking) digest = keccakWords([digest, each]);
  }
  expect(digest).toBe(vectors.drawsDigest);
});

test('a logarithm is that of the real numbers, to fifteen digits', () => {
  expect(lnWad(wad)).toBe(0n);
  expect(lnWad(1n)).toBe(-41446531673892822313n);
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: wad }), (of) => {
      const real = Math.log(Number(of) / 1e18);
      expect(Math.abs(Number(lnWad(of)) / 1e18 - real)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(real)));
    }),
  );
});

test('twice the weight is drawn first about twice as often', () => {
  const draws = 2_000;
  let first = 0;
  for (let index = 0; index < draws; index++) {
    const [chosen] = rankByRendezvous(keccakWords([zero, index]), task, [
      { node: node(0), weight: 2_000_000 },
      { node: node(1), weight: 1_000_000 },
    ]);
    if (chosen === node(0)) first += 1;
  }
  // Four standard deviations.
  expect(Math.abs(first / draws - 2 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / draws));
});

test('a weight is a whole number within its bound', () => {
  const keyOf = (weight: number): bigint => selectionKey(beacon, task, { node: node(0), weight });
  expect(keyOf(limits.selectionWeightMax)).toBeLessThan(keyOf(1));
  for (const weight of [0, -1, 0.5, limits.selectionWeightMax + 1, Number.NaN])
    expect(() => keyOf(weight)).toThrow('not a whole number of millionths');
});

test('a level bounds the weight to the millionth', () => {
  const maxWeights = Array.from({ length: 11 }, (_, level) => 2_000 + 200 * level);
  expect([0, 3, 10].map((level) => boundedWeight(9_000_000, level, maxWeights))).toEqual([
    2_000_000, 2_600_000, 4_000_000,
  ]);
  expect(boundedWeight(2_600_001, 3, maxWeights)).toBe(2_600_000);
  expect(boundedWeight(2_599_999, 3, maxWeights)).toBe(2_599_999);
  expect(() => boundedWeight(1, 11, maxWeights)).toThrow('the highest weight of level 11 is missing');
});

test('of more candidates than fit those are told that the whole draw puts first', () => {
  const all = Array.from({ length: limits.candidatesMax + 40 }, (_, index) => ({
    node: node(index),
    weight: 1 + index,
  }));
  const some = boundedCandidates(beacon, task, all);
  expect(some).toHaveLength(limits.candidatesMax);
  expect(some.map((each) => each.node)).toEqual(some.map((each) => each.node).toSorted());
  expect(rankByRendezvous(beacon, task, some)).toEqual(
    rankByRendezvous(beacon, task, all).slice(0, limits.candidatesMax),
  );
  const few = all.slice(0, limits.candidatesMax);
  expect(boundedCandidates(beacon, task, few)).toHaveLength(limits.candidatesMax);
});
