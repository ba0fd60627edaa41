import { assert } from './assert.ts';

/**
 * Canonical JSON: one value, one byte string, on every machine (RFC 8785). Keys are sorted by UTF-16
 * code unit, numbers are written as ECMAScript writes them, `undefined` members are left out as
 * `JSON.stringify` leaves them out.
 *
 * @throws AssertionError for what JSON cannot hold (NaN, Infinity, bigint, functions, lone surrogates).
 */
export function canonicalJson(value: unknown): string {
  // The engine's own writer is several times as fast, and what was read from canonical JSON is in its order.
  return isInOrder(value) ? JSON.stringify(value) : ordered(value);
}

/** Whether `JSON.stringify` writes a value canonically as it is. Where in doubt, it does not. */
function isInOrder(value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    const items = value as unknown[];
    // Not `every`, which steps over holes.
    for (let index = 0; index < items.length; index += 1) if (!isInOrder(items[index])) return false;
    return true;
  }
  // Of other classes `JSON.stringify` may ask `toJSON`.
  if (prototype !== Object.prototype) return false;
  let before: string | undefined;
  for (const key in value) {
    if ((before !== undefined && before >= key) || !key.isWellFormed()) return false;
    if (!isInOrder((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}

function ordered(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') {
    assert(Number.isFinite(value), 'canonical JSON holds no NaN or Infinity');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item: unknown) => ordered(item === undefined ? null : item)).join(',')}]`;
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
    text += `${canonicalString(key)}:${ordered(member)}`;
  }
  return `${text}}`;
}
