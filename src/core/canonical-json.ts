import { assert } from './assert.ts';

/**
 * Canonical JSON: one value, one byte string, on every machine (RFC 8785). Keys are sorted by UTF-16
 * code unit, numbers are written as ECMAScript writes them, `undefined` members are left out as
 * `JSON.stringify` leaves them out.
 *
 * @throws AssertionError for what JSON cannot hold (NaN, Infinity, bigint, functions, lone surrogates).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') {
    assert(Number.isFinite(value), 'canonical JSON holds no NaN or Infinity');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  }
  assert(typeof value === 'object', `canonical JSON holds no ${typeof value}`);
  return canonicalObject(value as Record<string, unknown>);
}

function canonicalString(value: string): string {
  assert(value.isWellFormed(), 'canonical JSON holds no lone surrogates');
  return JSON.stringify(value);
}

function canonicalObject(value: Record<string, unknown>): string {
  let text = '{';
  for (const key of Object.keys(value).toSorted()) {
    const member = value[key];
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${canonicalString(key)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
}
