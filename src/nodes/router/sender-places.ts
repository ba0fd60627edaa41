import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';

/** How many places there are. */
export interface PlaceBounds {
  /** For all senders together. */
  readonly max: number;
  /** For one of them. */
  readonly ofOneMax: number;
}

/** Places for what other routers ask for: some for each of them only, so that none can take all of them. */
export class SenderPlaces {
  readonly #bounds: PlaceBounds;
  /** How many each sender has, of those that have some. */
  readonly #held = new Map<Address, number>();
  #all = 0;

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  /** Does something that takes places of a sender while it lasts. @throws PouwError `router_busy`, and what `work` throws. */
  async hold<T>(from: Address, places: number, work: () => Promise<T>): Promise<T> {
    const { max, ofOneMax } = this.#bounds;
    const held = this.#held.get(from) ?? 0;
    if (held + places > ofOneMax) throw routerBusy(ofOneMax, from);
    if (this.#all + places > max) throw routerBusy(max, 'other routers');
    this.#add(from, places);
    try {
      return await work();
    } finally {
      this.#add(from, -places);
    }
  }

  #add(from: Address, places: number): void {
    const held = (this.#held.get(from) ?? 0) + places;
    if (held === 0) this.#held.delete(from);
    else this.#held.set(from, held);
    this.#all += places;
  }
}

/** The refusal of a router that other routers ask for too much at a time. */
function routerBusy(places: number, from: Address | 'other routers'): PouwError {
  return new PouwError('router_busy', `The router has ${places} requests of ${from} under way.`, {
    class: 'busy',
    hint: 'Try again shortly.',
  });
}
