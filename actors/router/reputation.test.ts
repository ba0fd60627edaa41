import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alice, bob, bytes32, carol, session } from '../../test/actors/chain-facts.ts';
import { taskId } from '../../src/core/ids.ts';
import { type Finding, newcomer, type Outcome, reputationAfter, reputationScore, reputationsOf } from './reputation.ts';

const after = (...findings: Finding[]) =>
  findings.reduce((before, finding) => reputationAfter(before, finding), newcomer);
const times = (count: number, finding: Finding): Finding[] => Array.from({ length: count }, () => finding);

describe('a reputation', () => {
  test('begins with one half and follows the rule of succession', () => {
    expect(reputationScore(newcomer)).toBe(0.5);
    expect(after('honest')).toMatchObject({ honest: 1, success: 0.666667, accuracy: 0.666667, timeliness: 0.666667 });
    expect(after('honest', 'honest', 'outlier').success).toBeCloseTo(3 / 5, 5);
  });

  test('lets old tasks fade: a node that turns bad falls faster than it rose', () => {
    const long = after(...times(200, 'honest'));
    expect(reputationScore(long)).toBeGreaterThan(0.99);
    expect(reputationScore(reputationAfter(long, 'outlier'))).toBeLessThan(0.93);
    expect(after(...times(200, 'honest'), ...times(20, 'outlier')).accuracy).toBeLessThan(0.13);
  });

  test('blames a time-out on timeliness and success, not on accuracy', () => {
    const late = after('honest', 'timedOut');
    expect(late.accuracy).toBe(after('honest').accuracy);
    expect(late.timeliness).toBeLessThan(after('honest').timeliness);
    expect(after('honest', 'outlier').timeliness).toBeGreaterThan(late.timeliness);
  });

  test('weighs accuracy most, then success, then timeliness', () => {
    expect(reputationScore({ ...newcomer, accuracy: 1, success: 0, timeliness: 0 })).toBe(0.5);
    expect(reputationScore({ ...newcomer, accuracy: 0, success: 1, timeliness: 0 })).toBe(0.3);
    expect(reputationScore({ ...newcomer, accuracy: 0, success: 0, timeliness: 1 })).toBe(0.2);
  });

  test('rises a level for three tasks in a row and falls by one or three', () => {
    expect(after(...times(2, 'honest')).level).toBe(0);
    expect(after(...times(3, 'honest')).level).toBe(1);
    const top = after(...times(40, 'honest'));
    expect(top.level).toBe(10);
    expect(reputationAfter(top, 'timedOut')).toMatchObject({ level: 9, streak: 0 });
    expect(reputationAfter(top, 'outlier')).toMatchObject({ level: 7, streak: 0 });
    expect(after('outlier').level).toBe(0);
  });

  test('keeps the speed that was measured', () => {
    const first = reputationAfter(newcomer, 'honest', 50);
    expect(first.tokensPerSecond).toBe(50);
    expect(reputationAfter(first, 'honest', 100).tokensPerSecond).toBe(55);
    expect(reputationAfter(first, 'honest').tokensPerSecond).toBe(50);
    expect(reputationAfter(first, 'honest', Number.NaN).tokensPerSecond).toBe(50);
  });

  test('stays within its bounds whatever happens', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Finding>('honest', 'outlier', 'timedOut'), { maxLength: 100 }),
        (findings) => {
          const { level, honest, outlier, timedOut, ...rest } = after(...findings);
          expect(honest + outlier + timedOut).toBe(findings.length);
          expect(level).toBeGreaterThanOrEqual(0);
          expect(level).toBeLessThanOrEqual(10);
          for (const share of [
            rest.success,
            rest.accuracy,
            rest.timeliness,
            reputationScore({ ...newcomer, ...rest }),
          ]) {
            expect(share).toBeGreaterThan(0);
            expect(share).toBeLessThan(1);
          }
        },
      ),
    );
  });
});

test('reputations can be recomputed from a list of outcomes', () => {
  const outcome = (index: number, change: Partial<Outcome>): Outcome => ({
    task: taskId(session, bytes32(index)),
    honest: [],
    outliers: [],
    timedOut: [],
    tokensPerSecond: {},
    ...change,
  });
  const found = reputationsOf([
    outcome(1, { honest: [alice, bob], tokensPerSecond: { [alice]: 20 } }),
    outcome(2, { honest: [alice], outliers: [bob], timedOut: [carol] }),
  ]);
  expect(found.get(alice)).toEqual({ ...after('honest', 'honest'), tokensPerSecond: 20 });
  expect(found.get(bob)).toEqual(after('honest', 'outlier'));
  expect(found.get(carol)).toEqual(after('timedOut'));
});
