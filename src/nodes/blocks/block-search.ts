import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { blockWantSubject } from '../../messages/subjects.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { transferBlock } from './block-transfer.ts';
import type { Budget } from './budget.ts';
import type { Offer, Offers } from './offers.ts';
import type { Suspects } from './suspects.ts';

/** What all searches of a process share. */
export interface SearchParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** The name this process has on the bus. */
  readonly peer: string;
  readonly suspects: Suspects;
  /** Bytes of blocks on their way here. */
  readonly bytes: Budget;
}

const noBody = new Uint8Array(0);

/**
 * Asks everybody for a block and tries those who offer it, again and again with pauses that grow, until it is here.
 * Nobody listening is no reason to stop: whoever has the block may be starting, or about to put it.
 *
 * @throws the signal's reason, or PouwError `bus_closed`.
 */
export async function searchBlock(
  parts: SearchParts,
  cid: Cid,
  offers: Offers,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const search = new BlockSearch(parts, cid, offers, signal);
  try {
    return await Promise.race([search.block, search.run()]);
  } finally {
    search.stop();
  }
}

class BlockSearch {
  readonly block: Promise<Uint8Array>;
  readonly #found: (block: Uint8Array) => void;
  readonly #parts: SearchParts;
  readonly #cid: Cid;
  readonly #offers: Offers;
  readonly #stopper = new AbortController();
  readonly #signal: AbortSignal;
  /** The holders that are being tried. */
  readonly #tries = new Map<string, Promise<void>>();

  constructor(parts: SearchParts, cid: Cid, offers: Offers, signal: AbortSignal) {
    this.#parts = parts;
    this.#cid = cid;
    this.#offers = offers;
    this.#signal = AbortSignal.any([signal, this.#stopper.signal]);
    ({ promise: this.block, resolve: this.#found } = Promise.withResolvers<Uint8Array>());
  }

  stop(): void {
    this.#stopper.abort();
  }

  async run(): Promise<never> {
    const { bus, clock, peer } = this.#parts;
    for (let pauseMs: number = limits.blockRetryMsMin; ; pauseMs = Math.min(2 * pauseMs, limits.blockRetryMsMax)) {
      bus.publish(blockWantSubject(this.#cid, peer), noBody);
      const endMs = clock.now() + pauseMs;
      for (;;) {
        const offer = await this.#offers.next(endMs, this.#signal);
        if (offer === undefined) break;
        if (!this.#tries.has(offer.holder)) await this.#try(offer);
      }
    }
  }

  /** Tries a holder, and leaves it to itself where it is slow, so that another one can be tried meanwhile. */
  async #try(offer: Offer): Promise<void> {
    const { clock, bytes, suspects } = this.#parts;
    const { holder, size } = offer;
    const room = await bytes.take(size, this.#signal);
    const trying = this.#transfer(offer).finally(() => {
      room[Symbol.dispose]();
      this.#tries.delete(holder);
    });
    this.#tries.set(holder, trying);
    const { promise: slow, resolve: isSlow } = Promise.withResolvers<void>();
    const forget = clock.at(clock.now() + limits.blockSlowMs, () => {
      suspects.add(holder);
      isSlow();
    });
    await Promise.race([trying, slow]).finally(forget);
    if (this.#tries.size >= limits.blockHoldersMax) await Promise.race(this.#tries.values());
  }

  async #transfer(offer: Offer): Promise<void> {
    const { bus, peer, suspects, log } = this.#parts;
    const transfer = await transferBlock({ bus, peer }, this.#cid, offer, this.#signal);
    if (transfer.outcome === 'refused') return;
    const { holder } = offer;
    if (transfer.outcome === 'block') {
      suspects.clear(holder);
      this.#found(transfer.block);
      return;
    }
    suspects.add(holder);
    const { why } = transfer;
    log.warn('a block could not be had from a process that offered it', { cid: this.#cid, holder, why });
  }
}
