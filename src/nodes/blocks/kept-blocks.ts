import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { BlockLookup } from '../../ports/block-exchange.ts';

/**
 * Looks blocks up, and keeps those that were used last for as long as `limits.blockServedBytesKept` allows: one block is
 * asked for by several and in several ranges. What is kept cannot become wrong, since its bytes are its name.
 */
export class KeptBlocks {
  readonly #lookup: BlockLookup;
  /** The one that was used longest ago first. */
  readonly #kept = new Map<Cid, Uint8Array>();
  readonly #coming = new Map<Cid, Promise<Uint8Array | undefined>>();
  #bytes = 0;

  constructor(lookup: BlockLookup) {
    this.#lookup = lookup;
  }

  /** A block; undefined where it is not held. @throws what the lookup throws. */
  async get(cid: Cid): Promise<Uint8Array | undefined> {
    const kept = this.#kept.get(cid);
    if (kept !== undefined) {
      this.#kept.delete(cid);
      this.#kept.set(cid, kept);
      return kept;
    }
    return await (this.#coming.get(cid) ?? this.#read(cid));
  }

  #read(cid: Cid): Promise<Uint8Array | undefined> {
    const coming = this.#readAndKeep(cid).finally(() => this.#coming.delete(cid));
    this.#coming.set(cid, coming);
    return coming;
  }

  async #readAndKeep(cid: Cid): Promise<Uint8Array | undefined> {
    const block = await this.#lookup(cid);
    if (block !== undefined) this.#keep(cid, block);
    return block;
  }

  #keep(cid: Cid, block: Uint8Array): void {
    this.#kept.set(cid, block);
    this.#bytes += block.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= limits.blockServedBytesKept) return;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
  }
}
