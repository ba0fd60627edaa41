import type { Json } from './json.ts';
import { limits } from './limits.ts';

/** A JSON object whose members have not been looked at. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether a value is an object with exactly these members, no more and no less. */
export function hasExactly(value: unknown, names: readonly string[]): value is Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name));
}

/** Whether a value is a whole number from `from` up that a double holds exactly. */
export function isCount(value: unknown, from: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= from;
}

/** Whether a value is text of a form. */
export function isText(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value);
}

/** `0x` and 40 lower-case hex digits. */
export const addressForm = /^0x[0-9a-f]{40}$/;
/** `0x` and 64 lower-case hex digits. */
export const bytes32Form = /^0x[0-9a-f]{64}$/;
/** 64 lower-case hex digits. */
export const hashForm = /^[0-9a-f]{64}$/;

/**
 * Whether a parsed value has a canonical form: well-formed text, finite numbers, nested no deeper than
 * `limits.logJsonDepthMax`.
 */
export function isPlainJson(value: unknown, depth = 0): value is Json {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth >= limits.logJsonDepthMax) return false;
  if (Array.isArray(value)) return value.every((item) => isPlainJson(item, depth + 1));
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isPlainJson(member, depth + 1));
}
