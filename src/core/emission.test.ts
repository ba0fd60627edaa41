import { expect, test } from 'vitest';
import { emissionWei, totalEmissionWei } from './emission.ts';
import { oneCor, timesWei, wei } from './wei.ts';

const curve = { firstWei: timesWei(oneCor, 20_000), halvingEpochs: 1_000 };

test('the first epoch emits most, and after a period it is half', () => {
  expect(emissionWei(curve, 1)).toBe(curve.firstWei);
  expect(emissionWei(curve, 1_001)).toBe(timesWei(oneCor, 10_000));
  expect(emissionWei(curve, 2_001)).toBe(timesWei(oneCor, 5_000));
  expect(emissionWei(curve, 501)).toBe(timesWei(oneCor, 15_000));
});

test('the sum of epochs is the total, to the wei', () => {
  let sum = 0n;
  for (let epoch = 1; epoch <= 2_500; epoch += 1) {
    sum += BigInt(emissionWei(curve, epoch));
    expect(totalEmissionWei(curve, epoch)).toBe(wei(sum));
  }
});

test('it ends, below first · (3p + 1) / 2', () => {
  expect(emissionWei(curve, 64_001)).toBe('0');
  const limit = BigInt(totalEmissionWei(curve, 2n ** 64n - 1n));
  expect(limit).toBeLessThan((BigInt(curve.firstWei) * 3_001n) / 2n);
  expect(limit).toBeGreaterThan((BigInt(curve.firstWei) * 3_001n) / 2n - 10n ** 9n);
});
