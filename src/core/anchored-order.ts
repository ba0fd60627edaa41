import { createHash } from 'node:crypto';
import type { Hex } from './hash.ts';
import type { Json } from './json.ts';
import { limits } from './limits.ts';

/** In which order the log had its commits, as an anchor pins it down: which one stands at each of some positions. */
export type AnchoredOrder = {
  /** The first position. */
  readonly from: number;
  /** The last position, included. */
  readonly to: number;
  /** SHA-256 over the hashes of the commits at these positions, 32 bytes each, in order. */
  readonly digest: Hex;
  /** The first {@link markDigits} digits of each of these hashes, in order: they tell where an order departs from this one. */
  readonly marks: string;
};

/** Hex digits of a commit's hash that an anchor lists beside the digest over all. */
export const markDigits = 8;

/** Hashes of commits taken in the order of their positions, and the digest over them. */
export class OrderDigest {
  readonly #hash = createHash('sha256');

  /** Takes the hash of the next commit. */
  add(hash: string): void {
    this.#hash.update(hash, 'hex');
  }

  /** The digest over all that was taken; nothing can be added after it. */
  end(): Hex {
    return `0x${this.#hash.digest('hex')}`;
  }
}

/** The order of commits from a position on, given their hashes; null where there are none. */
export function anchoredOrder(from: number, hashes: readonly string[]): AnchoredOrder | null {
  if (hashes.length === 0) return null;
  const digest = new OrderDigest();
  for (const hash of hashes) digest.add(hash);
  const marks = hashes.map(markOf).join('');
  return { from, to: from + hashes.length - 1, digest: digest.end(), marks };
}

/** What an anchor lists of a commit's hash. */
export function markOf(hash: string): string {
  return hash.slice(0, markDigits);
}

/** The mark of the commit that an anchor has at a position, which must be one of its own. */
export function markAt({ from, marks }: AnchoredOrder, position: number): string {
  const start = (position - from) * markDigits;
  return marks.slice(start, start + markDigits);
}

/** Whether a value from outside has the form of an order. */
export function isAnchoredOrder(value: Json | undefined): value is AnchoredOrder {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { from, to, digest, marks, ...rest } = value as Readonly<Record<string, Json>>;
  if (Object.keys(rest).length > 0 || !isPosition(from) || !isPosition(to) || to < from) return false;
  const commits = to - from + 1;
  if (commits > limits.anchoredOrderCommitsMax || typeof digest !== 'string' || typeof marks !== 'string') return false;
  return /^0x[0-9a-f]{64}$/.test(digest) && marks.length === commits * markDigits && /^[0-9a-f]+$/.test(marks);
}

function isPosition(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
