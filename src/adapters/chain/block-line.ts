import { sha256 } from '../../core/hash.ts';

/** Hexadecimal digits of a line's checksum. */
const sumLength = 16;
const closed = new RegExp(`^(.*),"sum":"([0-9a-f]{${sumLength}})"\\}$`, 's');

/** A line that is whole. */
export interface BlockEntry {
  readonly value: Readonly<Record<string, unknown>>;
  /** False for a line of an older pouw: that it is whole is all that can be told of it. */
  readonly isSummed: boolean;
}

/** What a line of a block log is: an entry, or half of one (`torn`), or not what was written (`damaged`). */
export type BlockLine = BlockEntry | 'torn' | 'damaged';

/** A line with a checksum of what is before it. */
export function encodeBlockLine(value: object): string {
  const start = JSON.stringify(value).slice(0, -1);
  return `${start},"sum":"${sumOf(start)}"}\n`;
}

/** Reads a line. */
export function decodeBlockLine(line: string): BlockLine {
  const match = closed.exec(line);
  if (match !== null && sumOf(match[1] ?? '') !== match[2]) return 'damaged';
  try {
    const value: unknown = JSON.parse(match === null ? line : `${match[1]}}`);
    if (typeof value !== 'object' || value === null) return 'damaged';
    return { value: value as BlockEntry['value'], isSummed: match !== null };
  } catch {
    return match === null ? 'torn' : 'damaged';
  }
}

function sumOf(start: string): string {
  return sha256(start).slice(0, sumLength);
}
