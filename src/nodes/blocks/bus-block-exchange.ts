import { assert } from '../../core/assert.ts';
import { cidToDigest } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { readBlockHolder, readBlockOffer } from '../../messages/blocks.ts';
import { blockOfferSubject } from '../../messages/subjects.ts';
import type { BlockExchange, BlockLookup } from '../../ports/block-exchange.ts';
import type { Bus, BusMessage } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import { BlockFetches } from './block-fetches.ts';
import { blockBound, BlockServer } from './block-server.ts';
import { Budget } from './budget.ts';
import { Suspects } from './suspects.ts';

/** What an exchange over a bus is made of. */
export interface BusBlockExchangeOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** The name of this process on the bus, one token that no other has: its node's address. */
  readonly peer: string;
  /** The names of the others, as far as they are known; where it is left out, none that floods is shut out. */
  readonly known?: () => Iterable<string>;
}

/**
 * Exchanges blocks over the bus: a *want* goes to everybody, whoever holds the block *offers* it, and the asker fetches
 * it from one of them in *ranges*, so that many holders cost many small offers and not many blocks.
 *
 * @example
 * const exchange = createBusBlockExchange({ bus, clock, log, peer: address });
 * const content = await createHeliaContentStore({ directory, exchange });
 */
export function createBusBlockExchange(options: BusBlockExchangeOptions): BlockExchange {
  assert(/^[\w-]{1,64}$/.test(options.peer), `a process has a name of one token: ${options.peer}`);
  return new BusBlockExchange(options);
}

class BusBlockExchange implements BlockExchange {
  readonly #options: BusBlockExchangeOptions;
  readonly #fetches: BlockFetches;
  readonly #offers: Subscription;
  #server: BlockServer | undefined;
  #isClosed = false;

  constructor(options: BusBlockExchangeOptions) {
    this.#options = options;
    const bytes = new Budget(limits.blockFetchBytesMax);
    this.#fetches = new BlockFetches({ ...options, suspects: new Suspects(), bytes });
    this.#offers = options.bus.subscribe(blockOfferSubject(options.peer, '*'), (message) => this.#onOffer(message), {
      perSender: blockBound(options),
    });
  }

  async fetch(cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#isClosed) throw closed();
    cidToDigest(cid);
    return await this.#fetches.join(cid, signal);
  }

  serve(lookup: BlockLookup): Subscription {
    if (this.#isClosed) throw closed();
    assert(this.#server === undefined, 'a process serves its blocks once');
    const server = new BlockServer(this.#options, lookup);
    this.#server = server;
    return {
      close: async () => {
        await server.close();
        if (this.#server === server) this.#server = undefined;
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#fetches.endAll(closed());
    await Promise.all([this.#offers.close(), this.#server?.close()]);
  }

  #onOffer({ subject, data }: BusMessage): void {
    const offer = readBlockOffer(data);
    if (offer !== undefined) this.#fetches.offer(offer.cid, { holder: readBlockHolder(subject), size: offer.size });
  }
}

function closed(): PouwError {
  return new PouwError('content_closed', 'The exchange of content is closed.', { class: 'unavailable' });
}
