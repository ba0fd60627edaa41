import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { searchBlock, type SearchParts } from './block-search.ts';
import { Budget } from './budget.ts';
import { type Offer, Offers } from './offers.ts';

/** The search for one block, for all who wait for it. */
interface Fetch {
  readonly offers: Offers;
  readonly stop: AbortController;
  readonly block: Promise<Uint8Array>;
  waiting: number;
}

/** The blocks that are being fetched: each is asked for once, and no longer than somebody waits for it. */
export class BlockFetches {
  readonly #parts: SearchParts;
  readonly #searches = new Budget(limits.blockSearchesMax);
  readonly #open = new Map<Cid, Fetch>();

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** Joins the fetch of a block or begins it. @throws the signal's reason, or what ended the search. */
  async join(cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const running = this.#open.get(cid) ?? this.#begin(cid);
    running.waiting += 1;
    try {
      return await unlessAborted(running.block, signal);
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0) this.#end(cid, running, new Error('nobody waits for the block'));
    }
  }

  /** Tells a fetch who has its block. */
  offer(cid: Cid, offer: Offer): void {
    this.#open.get(cid)?.offers.add(offer);
  }

  /** Ends every fetch. */
  endAll(reason: Error): void {
    for (const [cid, running] of this.#open) this.#end(cid, running, reason);
  }

  #begin(cid: Cid): Fetch {
    const offers = new Offers(this.#parts.clock, this.#parts.suspects);
    const stop = new AbortController();
    const running: Fetch = { offers, stop, block: this.#search(cid, offers, stop.signal), waiting: 0 };
    this.#open.set(cid, running);
    return running;
  }

  #end(cid: Cid, running: Fetch, reason: Error): void {
    if (this.#open.get(cid) === running) this.#open.delete(cid);
    running.stop.abort(reason);
  }

  async #search(cid: Cid, offers: Offers, signal: AbortSignal): Promise<Uint8Array> {
    using _place = await this.#searches.take(1, signal);
    return await searchBlock(this.#parts, cid, offers, signal);
  }
}

/** A promise that the caller may stop waiting for. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
