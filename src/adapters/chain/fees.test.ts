import { describe, expect, test } from 'vitest';
import { raisedFees } from './fees.ts';

const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({ maxFeePerGas, maxPriorityFeePerGas });

describe('the fees of a replacement', () => {
  test('are an eighth more than before, rounded up, so that every node takes it', () => {
    expect(raisedFees(fees(80n, 8n), fees(10n, 1n), 1_000n)).toEqual(fees(90n, 9n));
    expect(raisedFees(fees(81n, 1n), fees(10n, 1n), 1_000n)).toEqual(fees(92n, 2n));
    for (const fee of [1n, 7n, 999_999_937n]) {
      const raised = raisedFees(fees(fee, fee), fees(0n, 0n), 10n ** 12n);
      expect((raised?.maxFeePerGas ?? 0n) * 10n).toBeGreaterThanOrEqual(fee * 11n);
      expect((raised?.maxPriorityFeePerGas ?? 0n) * 10n).toBeGreaterThanOrEqual(fee * 11n);
    }
  });

  test('are what the chain asks for now where that is more', () => {
    expect(raisedFees(fees(80n, 8n), fees(300n, 20n), 1_000n)).toEqual(fees(300n, 20n));
  });

  test('raise a tip of nothing too', () => {
    expect(raisedFees(fees(80n, 0n), fees(80n, 0n), 1_000n)).toEqual(fees(90n, 1n));
  });

  test('stay at the cap, and are none where the cap is less than a replacement needs', () => {
    expect(raisedFees(fees(80n, 8n), fees(300n, 20n), 100n)).toEqual(fees(100n, 20n));
    expect(raisedFees(fees(80n, 8n), fees(300n, 20n), 90n)).toEqual(fees(90n, 20n));
    expect(raisedFees(fees(80n, 8n), fees(300n, 20n), 89n)).toBeUndefined();
  });

  test('never tip more than they offer', () => {
    expect(raisedFees(fees(80n, 80n), fees(300n, 900n), 200n)).toEqual(fees(200n, 200n));
  });
});
