import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { priceWei, splitPrice } from './price-split.ts';
import { addWei, timesWei, wei } from './wei.ts';

describe('a price', () => {
  test('is that of the tokens, at most what was set aside', () => {
    const bill = { promptTokens: 100, outputTokens: 50, promptTokenWei: wei(10), outputTokenWei: wei(20) };
    expect(priceWei({ ...bill, escrowWei: wei(2_000) })).toBe('2000');
    expect(priceWei({ ...bill, escrowWei: wei(1_999) })).toBe('1999');
  });

  test('is split by the published rates, with what has no taker and all rounding for the treasury', () => {
    const shares = splitPrice(wei(10_000), { miners: 3, validators: 2, oracle: true });
    expect(shares.map(({ role, count, eachWei }) => `${role} ${count} × ${eachWei}`)).toEqual([
      'miner 3 × 2666',
      'validator 2 × 400',
      'router 1 × 700',
      'oracle 1 × 200',
      'treasury 1 × 302',
    ]);
    expect(splitPrice(wei(10_000), { miners: 1, validators: 0, oracle: false })).toEqual([
      { role: 'miner', count: 1, eachWei: '8000' },
      { role: 'router', count: 1, eachWei: '700' },
      { role: 'treasury', count: 1, eachWei: '1300' },
    ]);
  });

  test('is the sum of its shares, whatever it is', () => {
    const takers = fc.record({
      miners: fc.integer({ min: 0, max: 16 }),
      validators: fc.integer({ min: 0, max: 16 }),
      oracle: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), takers, (price, who) => {
        const sum = splitPrice(wei(price), who).map(({ eachWei, count }) => timesWei(eachWei, count));
        expect(addWei(...sum)).toBe(price.toString());
      }),
    );
  });
});
