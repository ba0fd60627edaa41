import { assert } from '../core/assert.ts';

/** Asserts how long a lease is asked for, in milliseconds. */
export function checkLeaseTtl(ttlMs: number): void {
  assert(Number.isFinite(ttlMs) && ttlMs > 0, `a lease lasts for some time: ${ttlMs} ms`);
}
