import { assert } from './assert.ts';

declare const brand: unique symbol;
/** An amount of $COR in wei (10^-18), as a decimal string: exact in JSON, in any language. */
export type Wei = string & { readonly [brand]: 'Wei' };

/** No money. */
export const zeroWei = '0' as Wei;

/** Brands an amount; asserts that it is a non-negative integer. */
export function wei(value: bigint | string | number): Wei {
  const amount = BigInt(value);
  assert(amount >= 0n, `an amount is never negative: ${amount}`);
  return amount.toString() as Wei;
}

/** The sum of amounts. */
export function addWei(...values: readonly Wei[]): Wei {
  let sum = 0n;
  for (const value of values) sum += BigInt(value);
  return sum.toString() as Wei;
}

/** `a - b`; asserts that it is not negative. */
export function subWei(a: Wei, b: Wei): Wei {
  return wei(BigInt(a) - BigInt(b));
}

/** Whether `a < b`. */
export function lessWei(a: Wei, b: Wei): boolean {
  return BigInt(a) < BigInt(b);
}

/** The smaller of two amounts. */
export function minWei(a: Wei, b: Wei): Wei {
  return lessWei(a, b) ? a : b;
}

/** `amount` times a non-negative integer. */
export function timesWei(amount: Wei, count: number | bigint): Wei {
  return wei(BigInt(amount) * BigInt(count));
}

/** An amount in $COR for people: up to six decimals, no trailing zeros. */
export function formatCor(amount: Wei): string {
  const micro = (BigInt(amount) + 5n * 10n ** 11n) / 10n ** 12n;
  const whole = micro / 1_000_000n;
  const fraction = (micro % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return fraction === '' ? `${whole}` : `${whole}.${fraction}`;
}

/** One $COR in wei. */
export const oneCor = (10n ** 18n).toString() as Wei;
