import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { demandFactor, demandPower, type DemandRules, demandUnit, moveDemand, taskPrice, useBps } from './price.ts';

const one = 10n ** 18n;
const usual: DemandRules = {
  bandLowBps: 4_000,
  bandHighBps: 6_000,
  stepBps: 200,
  floorBps: 5_000,
  ceilingBps: 100_000,
};

// What the contracts allow (`contracts/src/libraries/Limits.sol`).
const anyRules: fc.Arbitrary<DemandRules> = fc.record({
  bandLowBps: fc.integer({ min: 1_000, max: 5_000 }),
  bandHighBps: fc.integer({ min: 5_000, max: 9_000 }),
  stepBps: fc.integer({ min: 1, max: 1_000 }),
  floorBps: fc.integer({ min: 1_000, max: 10_000 }),
  ceilingBps: fc.integer({ min: 10_000, max: 1_000_000 }),
});
const anyMove = fc.record({
  rules: anyRules,
  multiplier: fc.bigInt({ min: demandUnit / 10n, max: demandUnit * 100n }),
  use: fc.bigInt({ min: 0n, max: 10_000n }),
  idle: fc.oneof(fc.bigInt({ min: 0n, max: 50n }), fc.bigInt({ min: 0n, max: 1n << 40n })),
  idleUse: fc.constantFrom(0n, 5_000n, 10_000n),
});
const anyPrice = fc.record({
  prompt: fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
  output: fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
  promptTokenWei: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  outputTokenWei: fc.bigInt({ min: 0n, max: 10n ** 18n }),
  demandPpm: fc.integer({ min: 0, max: 100_000_000 }),
  escrowWei: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
});

/** Cases and results that the contracts are held to: `contracts/test/fuzz/Demand.t.sol`. */
function vectors(): string {
  const moves = fc.sample(anyMove, { numRuns: 64, seed: 7 }).map(({ rules, multiplier, use, idle, idleUse }) => ({
    ...rules,
    multiplier: `${multiplier}`,
    use: `${use}`,
    idle: `${idle}`,
    idleUse: `${idleUse}`,
    moved: `${moveDemand(multiplier, use, idleUse, idle, rules)}`,
  }));
  const prices = fc.sample(anyPrice, { numRuns: 32, seed: 7 }).map((of) => ({
    ...Object.fromEntries(Object.entries(of).map(([name, value]) => [name, `${value}`])),
    priceWei: `${taskPrice(of, of, of.demandPpm, of.escrowWei)}`,
  }));
  return `${JSON.stringify({ moves, prices }, null, 2)}\n`;
}

const file = new URL('../../contracts/test/vectors/demand.json', import.meta.url);

test('the contracts are held to what is computed here', () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(vectors()));
});

describe('a multiplier', () => {
  test('is left alone between 40 and 60 per cent', () => {
    for (const use of [4_000n, 5_000n, 6_000n]) expect(demandFactor(use, usual)).toBe(one);
    expect(moveDemand(demandUnit, 5_000n, 5_000n, 1_000_000n, usual)).toBe(demandUnit);
  });

  test('moves by two per cent a period at most, and by less the nearer the use is', () => {
    expect(demandFactor(0n, usual)).toBe((one * 98n) / 100n);
    expect(demandFactor(10_000n, usual)).toBe((one * 102n) / 100n);
    expect(demandFactor(2_000n, usual)).toBe((one * 99n) / 100n);
    expect(demandFactor(8_000n, usual)).toBe((one * 101n) / 100n);
  });

  test('stays between floor and ceiling, whatever happens', () => {
    fc.assert(
      fc.property(anyMove, ({ rules, multiplier, use, idle, idleUse }) => {
        const moved = moveDemand(multiplier, use, idleUse, idle, rules);
        expect(moved).toBeGreaterThanOrEqual((demandUnit * BigInt(rules.floorBps)) / 10_000n);
        expect(moved).toBeLessThanOrEqual((demandUnit * BigInt(rules.ceilingBps)) / 10_000n);
      }),
    );
  });

  test('falls in idle periods as if each had been looked at', () => {
    let step = demandUnit * 4n;
    for (let period = 0; period < 20; period += 1) step = moveDemand(step, 0n, 0n, 0n, usual);
    const jump = moveDemand(demandUnit * 4n, 0n, 0n, 19n, usual);
    const apart = step > jump ? step - jump : jump - step;
    expect(apart).toBeLessThan(1_000n);
  });

  test('takes no more steps for many periods than their number has digits in base two', () => {
    expect(demandPower((one * 102n) / 100n, 1n << 40n)).toBe(one * 1_000_000n);
    expect(demandPower((one * 98n) / 100n, 1n << 40n)).toBe(0n);
    expect(demandPower(one, 1n << 40n)).toBe(one);
  });
});

test('the use is unknown without capacity, and never more than all', () => {
  expect([useBps(7n, 0n), useBps(0n, 10n), useBps(5n, 10n), useBps(11n, 10n)]).toEqual([5_000n, 0n, 5_000n, 10_000n]);
});

test('a price follows the demand and never exceeds the escrow', () => {
  const prices = { promptTokenWei: 2n, outputTokenWei: 3n };
  expect(taskPrice({ prompt: 10n, output: 10n }, prices, 1_500_000, 1_000n)).toBe(75n);
  expect(taskPrice({ prompt: 10n, output: 10n }, prices, 1_500_000, 60n)).toBe(60n);
});
