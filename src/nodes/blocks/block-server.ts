import { errorMessage } from '../../core/errors.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import {
  encodeBlockMessage,
  encodeBlockPiece,
  nothingHeld,
  readBlockRange,
  readBlockWant,
} from '../../messages/blocks.ts';
import { blockOfferSubject, blockRangeSubject, blockWantSubject } from '../../messages/subjects.ts';
import type { BlockLookup } from '../../ports/block-exchange.ts';
import type { Bus, BusMessage, SenderBound } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import { Budget } from './budget.ts';
import { KeptBlocks } from './kept-blocks.ts';

/** What a server stands on. */
export interface ServerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** The name this process has on the bus. */
  readonly peer: string;
  /** The processes there are; where it is left out, none that floods is shut out. */
  readonly known?: () => Iterable<string>;
}

/** What is taken of each process, on each subject of blocks. */
export function blockBound({ known, log }: Pick<ServerParts, 'known' | 'log'>): SenderBound {
  const onShutOut = (sender: string): void =>
    log.warn('a process floods with messages about blocks and is shut out', { sender, forMs: limits.busShutOutMs });
  const { blockMessagesPerS: perS, blockMessagesAtOnceMax: atOnce } = limits;
  return { perS, atOnce, onShutOut, ...(known === undefined ? {} : { known }) };
}

/** Offers what this process holds to whoever wants it, and hands it out in ranges. */
export class BlockServer implements Subscription {
  readonly #parts: ServerParts;
  readonly #blocks: KeptBlocks;
  readonly #reads = new Budget(limits.blockReadsMax);
  readonly #running = new Set<Promise<void>>();
  readonly #closer = new AbortController();
  readonly #subscriptions: readonly Subscription[];

  constructor(parts: ServerParts, lookup: BlockLookup) {
    const { bus, peer } = parts;
    this.#parts = parts;
    this.#blocks = new KeptBlocks(lookup);
    const perSender = blockBound(parts);
    this.#subscriptions = [
      bus.subscribe(blockWantSubject('*', '*'), (message) => this.#onWant(message), { perSender }),
      bus.subscribe(blockRangeSubject(peer, '*'), (message) => this.#onRange(message), { perSender }),
    ];
  }

  async close(): Promise<void> {
    this.#closer.abort();
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
    await Promise.all(this.#running);
  }

  #onWant({ subject }: BusMessage): void {
    const { bus, peer } = this.#parts;
    const want = readBlockWant(subject);
    if (want === undefined || want.asker === peer) return;
    const { cid, asker } = want;
    this.#run(cid, (block) => {
      if (block === undefined) return;
      bus.publish(blockOfferSubject(asker, peer), encodeBlockMessage({ cid, size: block.length }));
    });
  }

  #onRange({ data, respond }: BusMessage): void {
    const range = readBlockRange(data);
    if (range === undefined) return;
    // Whoever is told so asks another holder at once, and us later.
    if (this.#isFull) respond(nothingHeld);
    else this.#run(range.cid, (block) => respond(block === undefined ? nothingHeld : encodeBlockPiece(block, range)));
  }

  get #isFull(): boolean {
    return this.#reads.waiting >= limits.blockReadsQueuedMax;
  }

  #run(cid: Cid, answer: (block: Uint8Array | undefined) => void): void {
    if (this.#isFull) return;
    const running = this.#serve(cid, answer).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #serve(cid: Cid, answer: (block: Uint8Array | undefined) => void): Promise<void> {
    const { clock, log } = this.#parts;
    const giveUpMs = clock.now() + limits.blockRangeMsMax;
    try {
      using _read = await this.#reads.take(1, this.#closer.signal);
      // Whoever asked has given up by now, or has asked again.
      if (clock.now() > giveUpMs) return;
      answer(await this.#read(cid));
    } catch (error) {
      // Closed while it waited, or the bus is.
      log.debug('a block was not served', { cid, error: errorMessage(error) });
    }
  }

  /** A block that cannot be read is as good as none. */
  async #read(cid: Cid): Promise<Uint8Array | undefined> {
    try {
      return await this.#blocks.get(cid);
    } catch (error) {
      this.#parts.log.warn('a block could not be read for another process', { cid, error: errorMessage(error) });
      return undefined;
    }
  }
}
