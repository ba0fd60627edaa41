import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from './assert.ts';
import { addWei, formatCor, lessWei, minWei, oneCor, subWei, timesWei, type Wei, wei, zeroWei } from './wei.ts';

const amount = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });

describe('wei', () => {
  test('takes integers of any size and writes them in decimal', () => {
    expect(wei(10n ** 30n)).toBe(`1${'0'.repeat(30)}`);
    expect(wei('0x10')).toBe('16');
    expect(wei(7)).toBe('7');
    expect(wei('007')).toBe('7');
  });

  test('is never negative', () => {
    expect(() => wei(-1n)).toThrow(AssertionError);
    expect(() => subWei(wei(1), wei(2))).toThrow(AssertionError);
    expect(() => timesWei(wei(1), -1)).toThrow(AssertionError);
  });

  test('is never a fraction', () => {
    expect(() => wei(0.5)).toThrow(RangeError);
    expect(() => wei('0.5')).toThrow(SyntaxError);
  });

  test('compares by size, not by spelling', () => {
    expect(lessWei(wei(9), wei(10))).toBe(true);
    expect(lessWei(wei(10), wei(10))).toBe(false);
    expect(minWei(wei(100), wei(20))).toBe('20');
  });

  test('adds nothing to nothing', () => {
    expect(addWei()).toBe(zeroWei);
  });

  test('counts as integers do, whatever the amounts', () => {
    fc.assert(
      fc.property(amount, amount, fc.nat(), (a, b, count) => {
        expect(addWei(wei(a), wei(b))).toBe(String(a + b));
        expect(subWei(addWei(wei(a), wei(b)), wei(b))).toBe(String(a));
        expect(timesWei(wei(a), count)).toBe(String(a * BigInt(count)));
        expect(minWei(wei(a), wei(b))).toBe(String(a < b ? a : b));
        expect(lessWei(wei(a), wei(b))).toBe(a < b);
      }),
    );
  });
});

describe('an amount for people', () => {
  test.each<[Wei, string]>([
    [zeroWei, '0'],
    [oneCor, '1'],
    [wei(1_500_000_000_000_000_000n), '1.5'],
    [wei(1_000_000_000_000n), '0.000001'],
    [wei(499_999_999_999n), '0'],
    [wei(500_000_000_000n), '0.000001'],
    [wei(999_999_999_999_999_999n), '1'],
    [wei(1_234_567_890_123_456_789_012n), '1234.56789'],
    [timesWei(oneCor, 1_000_000), '1000000'],
  ])('%s wei is %s $COR', (value, text) => {
    expect(formatCor(value)).toBe(text);
  });
});
