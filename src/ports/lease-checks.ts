import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';

/** Asserts how long a lease is asked for, in milliseconds. */
export function checkLeaseTtl(ttlMs: number): void {
  assert(ttlMs > 0 && ttlMs <= limits.leaseMsMax, `a lease lasts for some time, and not for ever: ${ttlMs} ms`);
}
