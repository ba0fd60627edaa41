import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Suspects } from './suspects.ts';

/** Who says that it holds a block, and of how many bytes. */
export interface Offer {
  readonly holder: string;
  readonly size: number;
}

/** The offers that came for one block and were not tried yet, at most one of each holder. */
export class Offers {
  readonly #clock: Clock;
  readonly #suspects: Suspects;
  readonly #untried = new Map<string, Offer>();
  #onArrival: () => void = () => {};

  constructor(clock: Clock, suspects: Suspects) {
    this.#clock = clock;
    this.#suspects = suspects;
  }

  /** Takes an offer. Beyond `limits.blockOffersMax` it is dropped: holders offer again when they are asked again. */
  add(offer: Offer): void {
    if (this.#untried.size >= limits.blockOffersMax) return;
    this.#untried.set(offer.holder, offer);
    this.#onArrival();
  }

  /**
   * The next offer to try, waited for until `endMs`; undefined where none came. The first to come is the first to be
   * tried, but what a suspect offers is left until the wait is over: whoever answers wrongly and fast must not keep us
   * from whoever answers rightly.
   */
  async next(endMs: number, signal: AbortSignal): Promise<Offer | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const isOver = this.#clock.now() >= endMs;
      const offers = [...this.#untried.values()];
      const offer = offers.find(({ holder }) => !this.#suspects.has(holder)) ?? (isOver ? offers[0] : undefined);
      if (offer !== undefined) this.#untried.delete(offer.holder);
      if (offer !== undefined || isOver) return offer;
      await this.#arrival(endMs, signal);
    }
  }

  async #arrival(endMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => resolve();
    const forget = this.#clock.at(endMs, resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#onArrival = resolve;
    await promise;
    signal.removeEventListener('abort', onAbort);
    forget();
  }
}
