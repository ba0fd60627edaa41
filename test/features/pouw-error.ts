import { expect } from 'vitest';

/** Matches a PouwError with this code, and with the other fields given. */
export function pouwError(code: string, fields: Readonly<Record<string, unknown>> = {}): unknown {
  return expect.objectContaining({ name: 'PouwError', code, ...fields });
}

/** Matches text that contains `part`. */
export function textWith(part: string): unknown {
  return expect.stringContaining(part);
}
