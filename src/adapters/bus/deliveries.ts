import { assert } from '../../core/assert.ts';
import { limits } from '../../core/limits.ts';
import type { BusMessage, SubscribeOptions } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import { drainTimeout } from './bus-errors.ts';
import { BusInbox, type Envelope } from './bus-inbox.ts';
import { SenderBounds } from './sender-bounds.ts';

/** What deliveries need. */
export interface DeliveriesOptions {
  /** Bounds how long `idle` waits. */
  readonly clock: Clock;
  /** Runs something soon, after what runs now. */
  readonly schedule: (run: () => void) => void;
  /** Told what a handler threw, and on which message. */
  readonly onError: (error: unknown, about: { subject: string; pattern: string }) => void;
}

/** Messages one subscriber is given before the next one has its turn. */
const burst = 64;

const ignore = (): void => undefined;

/** The inboxes of a bus: calls handlers in turns, from the event loop, and knows when all messages are handled. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  #ready: BusInbox[] = [];
  #scheduled = false;
  #unhandled = 0;
  #onIdle: () => void = ignore;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Messages that are in an inbox and not handled yet. */
  get unhandled(): number {
    return this.#unhandled;
  }

  /** Makes the inbox of a subscriber. */
  open(pattern: string, handler: (message: BusMessage) => void | Promise<void>, options: SubscribeOptions): BusInbox {
    const maxPending = options.maxPending ?? limits.busPendingMessagesMax;
    assert(Number.isSafeInteger(maxPending) && maxPending >= 1, 'a subscriber has room for a message');
    return new BusInbox({
      pattern,
      queue: options.queue,
      handler,
      senders: options.perSender && new SenderBounds(options.perSender, this.#options.clock),
      maxPending,
      maxPendingBytes: limits.busPendingBytesMax,
      onSlow: options.onSlow,
      onError: this.#options.onError,
      onReady: (inbox) => this.#makeReady(inbox),
      onGone: (messages) => this.#gone(messages),
    });
  }

  /** Puts a message into inboxes of this bus. */
  push(inboxes: readonly BusInbox[], envelope: Envelope): void {
    // Counted first: a full inbox drops, and reports as gone, while it is pushed to.
    this.#unhandled += inboxes.length;
    for (const inbox of inboxes) inbox.push(envelope);
  }

  /** Resolves when every message is handled. */
  idle(): Promise<void> {
    if (this.#unhandled === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Waits for what handles the last messages, but not longer than `limits.busDrainMsMax`, which is reported. */
  async waitFor(lastWork: Promise<void>): Promise<void> {
    const { clock, onError } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const forget = clock.at(clock.now() + limits.busDrainMsMax, () => {
      onError(drainTimeout(this.#unhandled), { subject: '>', pattern: '>' });
      resolve(undefined);
    });
    await Promise.race([lastWork, late]);
    forget();
  }

  #makeReady(inbox: BusInbox): void {
    this.#ready.push(inbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    const ready = this.#ready;
    this.#ready = [];
    for (const inbox of ready) inbox.deliver(burst);
  }

  #gone(messages: number): void {
    this.#unhandled -= messages;
    if (this.#unhandled === 0) this.#onIdle();
  }
}
