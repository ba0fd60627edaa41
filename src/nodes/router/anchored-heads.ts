import type { Hex } from '../../core/hash.ts';
import type { StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';

/** An anchor that covers a stream up to a version. */
export interface Covering {
  readonly version: number;
  readonly epoch: number;
  readonly root: Hex;
}

interface Entry extends Covering {
  readonly stream: StreamId;
}

/**
 * Which anchors cover which streams, as far as is remembered (`limits.anchoredHeadsKept`). The oldest go first, but of a
 * stream the newest goes last: a later anchor covers all that an earlier one did.
 */
export class AnchoredHeads {
  readonly #covering = new Map<StreamId, Entry[]>();
  /** All entries, the next to be let go of first. */
  readonly #order = new Set<Entry>();

  /** The version up to which a stream is anchored; 0 where nothing is known. */
  version(stream: StreamId): number {
    return this.#covering.get(stream)?.at(-1)?.version ?? 0;
  }

  /** The first anchor known here that covers a version of a stream. */
  covering(stream: StreamId, version: number): Covering | null {
    return this.#covering.get(stream)?.find((one) => one.version >= version) ?? null;
  }

  /** Takes the head of a stream in an anchor; anchors come in the order of their epochs. */
  add(stream: StreamId, covering: Covering): void {
    const entry = { ...covering, stream };
    const entries = this.#covering.get(stream);
    if (entries === undefined) this.#covering.set(stream, [entry]);
    else entries.push(entry);
    this.#order.add(entry);
    while (this.#order.size > limits.anchoredHeadsKept) this.#forgetOne();
  }

  #forgetOne(): void {
    for (const oldest of this.#order) {
      const entries = this.#covering.get(oldest.stream) ?? [];
      this.#order.delete(oldest);
      if (entries.length > 1 || this.#covering.size >= this.#order.size) {
        entries.shift();
        if (entries.length === 0) this.#covering.delete(oldest.stream);
        return;
      }
      // The only one of its stream: those of streams that have several go before it.
      this.#order.add(oldest);
    }
  }
}
