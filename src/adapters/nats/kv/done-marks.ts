import { assert } from '../../../core/assert.ts';
import { type EffectId, effectId, type StreamId } from '../../../core/ids.ts';

const effectIdPattern = /^(.+):([1-9]\d*):(\d+)$/;

/** The parts of an effect's id. */
export function parseEffectId(id: EffectId): {
  readonly stream: StreamId;
  readonly version: number;
  readonly n: number;
} {
  const [, stream, version, n] = effectIdPattern.exec(id) ?? [];
  assert(stream !== undefined && version !== undefined && n !== undefined, `not an effect id: ${id}`);
  return { stream: stream as StreamId, version: Number(version), n: Number(n) };
}

/** Which effects of a stream are done. It only grows, so that two of them have one union, whatever the order. */
export class DoneMarks {
  #watermark = 0;
  #count = 0;
  readonly #done = new Map<number, Set<number>>();

  /** The marks in an entry. One that cannot be read has none: what it knew is done again, under the same ids. */
  static fromText(value: Uint8Array | undefined): DoneMarks {
    const marks = new DoneMarks();
    if (value === undefined) return marks;
    try {
      const { watermark, done } = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<Record<string, unknown>>;
      if (!isCount(watermark) || !Array.isArray(done) || !done.every(isVersion)) return marks;
      marks.advance(watermark);
      for (const [version, numbers] of done) for (const n of numbers) marks.mark(version, n);
    } catch {
      return new DoneMarks();
    }
    return marks;
  }

  /** Every effect of versions up to and including this one is done. */
  get watermark(): number {
    return this.#watermark;
  }

  /** Done effects beyond the watermark. */
  get count(): number {
    return this.#count;
  }

  /** Marks one effect. */
  mark(version: number, n: number): void {
    if (version <= this.#watermark) return;
    const numbers = this.#done.get(version) ?? new Set();
    this.#count += numbers.has(n) ? 0 : 1;
    this.#done.set(version, numbers.add(n));
  }

  /** Raises the watermark, and forgets what lies below it. */
  advance(version: number): void {
    if (version <= this.#watermark) return;
    this.#watermark = version;
    for (const [marked, numbers] of this.#done) {
      if (marked > version) continue;
      this.#done.delete(marked);
      this.#count -= numbers.size;
    }
  }

  /** Takes over what another one knows. */
  add(other: DoneMarks): void {
    this.advance(other.#watermark);
    for (const [version, numbers] of other.#done) for (const n of numbers) this.mark(version, n);
  }

  /** The ids of the effects beyond the watermark. */
  ids(stream: StreamId): Set<EffectId> {
    return new Set(
      [...this.#done].flatMap(([version, numbers]) => [...numbers].map((n) => effectId(stream, version, n))),
    );
  }

  /** What {@link DoneMarks.fromText} reads: `{"watermark":3,"done":[[5,[0,1]]]}`. */
  toText(): string {
    const done = [...this.#done].map(([version, numbers]) => [version, [...numbers]]);
    return JSON.stringify({ watermark: this.#watermark, done });
  }
}

function isVersion(entry: unknown): entry is [number, number[]] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [version, numbers] = entry as [unknown, unknown];
  return isCount(version) && Array.isArray(numbers) && numbers.every(isCount);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
