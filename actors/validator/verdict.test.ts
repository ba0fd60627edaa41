import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { address, alice, bob, carol, dave } from '../../test/actors/chain-facts.ts';
import type { Address } from '../../src/core/ids.ts';
import type { ScoredResult } from './checks/check.ts';
import { checks } from './checks/table.ts';
import { reachVerdict, type VerdictInput } from './verdict.ts';

const good = (miner: Address, change: Partial<ScoredResult> = {}): ScoredResult => ({
  miner,
  content: 'matches',
  promptTokens: 6,
  outputTokens: 10,
  tokens: 10,
  ...change,
});

/** A verdict over results whose similarities are given pair by pair; 1 with themselves. */
function verdict(
  results: readonly ScoredResult[],
  pairs: readonly [number, number, number][],
  change: Partial<VerdictInput> = {},
) {
  const similarities = results.map((_, i) =>
    results.map((__, j) =>
      i === j ? 1 : (pairs.find(([a, b]) => (a === i && b === j) || (a === j && b === i))?.[2] ?? 0),
    ),
  );
  return reachVerdict({ level: 1, similarityBps: 8_000, promptTokens: 6, results, similarities, ...change });
}

describe('similar answers', () => {
  test('win by the one that is nearest to all others', () => {
    const found = verdict(
      [good(alice), good(bob), good(carol)],
      [
        [0, 1, 0.9],
        [0, 2, 0.81],
        [1, 2, 0.95],
      ],
    );
    expect(found).toMatchObject({
      winner: bob,
      honest: [alice, bob, carol],
      outliers: [],
      inconclusive: false,
      promptTokens: 6,
      outputTokens: 10,
    });
    expect(found.scores).toEqual([
      { miner: alice, similarity: 0.855, tokens: 10 },
      { miner: bob, similarity: 0.925, tokens: 10 },
      { miner: carol, similarity: 0.88, tokens: 10 },
    ]);
  });

  test('name the one that is like none of them', () => {
    const found = verdict([good(carol), good(alice), good(bob)], [[0, 2, 0.9]]);
    expect(found).toMatchObject({
      winner: bob,
      honest: [bob, carol],
      outliers: [{ miner: alice, check: 'similarity' }],
    });
  });

  test('the winner is the medoid of those who agree, whatever the outliers are like', () => {
    const results = [good(alice), good(bob), good(carol), good(dave)];
    const found = verdict(results, [
      [0, 1, 0.9],
      [0, 2, 0.85],
      [1, 2, 0.8],
      [1, 3, 0.79],
      [2, 3, 0.79],
    ]);
    expect(found).toMatchObject({ winner: alice, outliers: [{ miner: dave }] });
  });

  test('agree through others too: no tie-break can cost an honest miner its stake', () => {
    const found = verdict(
      [good(alice), good(bob), good(carol)],
      [
        [0, 1, 0.85],
        [1, 2, 0.85],
        [0, 2, 0.7],
      ],
    );
    expect(found).toMatchObject({ winner: bob, honest: [alice, bob, carol], outliers: [] });
  });

  test('agree from the threshold on and not below it', () => {
    expect(verdict([good(alice), good(bob)], [[0, 1, 0.8]]).inconclusive).toBe(false);
    expect(verdict([good(alice), good(bob)], [[0, 1, 0.7999995]]).inconclusive).toBe(false);
    expect(verdict([good(alice), good(bob)], [[0, 1, 0.799999]]).inconclusive).toBe(true);
  });

  test('win by the lower address where two are equally near', () => {
    expect(verdict([good(bob), good(alice)], [[0, 1, 0.9]]).winner).toBe(alice);
  });
});

describe('no majority', () => {
  test.each([
    ['two that differ', [good(alice), good(bob)], []],
    ['three that all differ', [good(alice), good(bob), good(carol)], []],
    [
      'two against two',
      [good(alice), good(bob), good(carol), good(dave)],
      [
        [0, 1, 0.9],
        [2, 3, 0.9],
      ],
    ],
  ] as [string, ScoredResult[], [number, number, number][]][])('names nobody: %s', (_, results, pairs) => {
    const found = verdict(results, pairs);
    expect(found).toMatchObject({ inconclusive: true, outliers: [], winner: alice });
    expect(found.honest).toHaveLength(results.length);
  });
});

describe('every result', () => {
  test('must hash to its root and be there', () => {
    const results = [good(alice, { content: 'differs' }), good(bob), good(carol, { content: 'missing', tokens: 0 })];
    expect(verdict(results, [[0, 1, 1]])).toMatchObject({
      winner: bob,
      honest: [bob],
      inconclusive: false,
      outliers: [
        { miner: alice, check: 'root-match' },
        { miner: carol, check: 'root-match' },
      ],
    });
  });

  test('is there where another of the same root is, but does not win: nobody could read it', () => {
    const results = [good(alice, { content: 'proven' }), good(bob), good(carol, { content: 'missing', tokens: 0 })];
    expect(verdict(results, [[0, 1, 1]])).toMatchObject({
      winner: bob,
      honest: [alice, bob],
      outliers: [{ miner: carol, check: 'root-match' }],
    });
  });

  test('must claim the tokens it has', () => {
    const results = [good(alice, { outputTokens: 11 }), good(bob), good(carol, { promptTokens: 7 })];
    const found = verdict(results, [
      [0, 1, 1],
      [1, 2, 1],
      [0, 2, 1],
    ]);
    expect(found.outliers.map(({ miner, check }) => [miner, check])).toEqual([
      [alice, 'token-count'],
      [carol, 'token-count'],
    ]);
    expect(
      verdict(
        results,
        [
          [0, 1, 1],
          [1, 2, 1],
          [0, 2, 1],
        ],
        { promptTokens: null },
      ).outliers.map(({ miner }) => miner),
    ).toEqual([alice]);
  });

  test('wins alone, and nobody wins where none is left', () => {
    expect(verdict([good(alice)], [])).toMatchObject({
      winner: alice,
      inconclusive: false,
      scores: [{ similarity: 1 }],
    });
    expect(verdict([good(alice, { content: 'differs' })], [])).toMatchObject({
      winner: null,
      honest: [],
      promptTokens: 0,
    });
  });

  test('is compared from level 1 on', () => {
    const found = verdict([good(alice), good(bob, { outputTokens: 99 }), good(carol)], [[0, 2, 0.9]], { level: 0 });
    expect(found).toMatchObject({ honest: [alice, bob, carol], outliers: [] });
  });
});

describe('the verdict', () => {
  const many = fc.integer({ min: 1, max: 7 }).chain((count) =>
    fc.record({
      results: fc.tuple(
        ...Array.from({ length: count }, (_, index) =>
          fc
            .constantFrom<ScoredResult['content']>('matches', 'matches', 'matches', 'differs')
            .map((content) => good(address(index + 1), { content })),
        ),
      ),
      pairs: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1), fc.double({ min: 0, max: 1, noNaN: true })), {
        maxLength: 40,
      }),
    }),
  );

  test('is the same in whatever order the results come', () => {
    fc.assert(
      fc.property(many, ({ results, pairs }) => {
        const reversed = pairs.map(([i, j, value]): [number, number, number] => [
          results.length - 1 - i,
          results.length - 1 - j,
          value,
        ]);
        expect(verdict(results.toReversed(), reversed)).toEqual(verdict(results, pairs));
      }),
    );
  });

  test('puts every miner on one side, the winner on the honest one, and never the majority on the other', () => {
    fc.assert(
      fc.property(many, ({ results, pairs }) => {
        const { winner, honest, outliers } = verdict(results, pairs);
        const named = outliers.map(({ miner }) => miner);
        expect([...honest, ...named].toSorted()).toEqual(results.map(({ miner }) => miner).toSorted());
        expect(winner === null ? honest : honest.filter((miner) => miner === winner)).toHaveLength(
          winner === null ? 0 : 1,
        );
        expect(outliers.filter(({ check }) => check === 'similarity').length).toBeLessThan(Math.max(1, honest.length));
      }),
    );
  });

  test('is reached by checks with names of their own', () => {
    expect(checks.map(({ name }) => name)).toEqual(['root-match', 'token-count', 'similarity']);
  });
});
