import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { searchBlock, type SearchParts } from './block-search.ts';
import { Budget } from './budget.ts';
import { type Offer, Offers } from './offers.ts';
import { unlessAborted } from '../../core/unless-aborted.ts';

/** The search for one block, for all who wait for it. */
interface SharedSearch {
  readonly offers: Offers;
  readonly stop: AbortController;
  readonly block: Promise<Uint8Array>;
  waiting: number;
}

/** The blocks that are being fetched: each is asked for once, and no longer than somebody waits for it. */
export class BlockFetches {
  readonly #parts: SearchParts;
  readonly #searches = new Budget(limits.blockSearchesMax);
  readonly #open = new Map<Cid, SharedSearch>();

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** Joins the fetch of a block or begins it. @throws the signal's reason, or what ended the search. */
  async join(cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const search = this.#open.get(cid) ?? this.#begin(cid);
    search.waiting += 1;
    try {
      return await unlessAborted(search.block, signal);
    } finally {
      search.waiting -= 1;
      if (search.waiting === 0) this.#end(cid, search, new Error('nobody waits for the block'));
    }
  }

  /** Tells a fetch who has its block. */
  offer(cid: Cid, offer: Offer): void {
    this.#open.get(cid)?.offers.add(offer);
  }

  /** Ends every fetch. */
  endAll(reason: Error): void {
    for (const [cid, search] of this.#open) this.#end(cid, search, reason);
  }

  #begin(cid: Cid): SharedSearch {
    const offers = new Offers(this.#parts.clock, this.#parts.suspects);
    const stop = new AbortController();
    const search: SharedSearch = { offers, stop, block: this.#search(cid, offers, stop.signal), waiting: 0 };
    this.#open.set(cid, search);
    return search;
  }

  #end(cid: Cid, search: SharedSearch, reason: Error): void {
    if (this.#open.get(cid) === search) this.#open.delete(cid);
    search.stop.abort(reason);
  }

  async #search(cid: Cid, offers: Offers, signal: AbortSignal): Promise<Uint8Array> {
    using _place = await this.#searches.take(1, signal);
    return await searchBlock(this.#parts, cid, offers, signal);
  }
}
