import type { SenderBounds } from './sender-bounds.ts';
import type { BusHeaders, BusMessage } from '../../ports/bus.ts';

/** A message on its way to the subscribers it was published for. */
export interface Envelope {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: BusHeaders | undefined;
  /** Whether other subscribers get the same bytes, so that each must be given a copy. */
  readonly shared: boolean;
  readonly respond: (data: Uint8Array) => void;
}

/** What a {@link BusInbox} is made of. */
export interface BusInboxOptions {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void | Promise<void>;
  /** What is taken of each sender; everything where it is left out. */
  readonly senders: SenderBounds | undefined;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  readonly onSlow: ((dropped: number) => void) | undefined;
  readonly onError: (error: unknown, about: { subject: string; pattern: string }) => void;
  /** Told when there is something to deliver and no handler is running. */
  readonly onReady: (inbox: BusInbox) => void;
  /** Told how many messages are gone: handled, dropped or thrown away. */
  readonly onGone: (messages: number) => void;
}

/** Taken messages are cut off the front of the buffer when there are this many and they are half of it. */
const compactAt = 1_024;

/**
 * The messages of one subscriber: a bounded buffer, and the handler that is called with one at a time. When
 * the buffer is full the oldest message goes: what is fresh is worth more to a subscriber that lags, and
 * numbered messages show it the gap.
 */
export class BusInbox {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly #options: BusInboxOptions;
  #buffer: Envelope[] = [];
  #first = 0;
  #bytes = 0;
  #dropped = 0;
  #ready = false;
  #turnLeft = 0;
  #closed = false;
  #running: Promise<void> | undefined;

  constructor(options: BusInboxOptions) {
    this.pattern = options.pattern;
    this.queue = options.queue;
    this.#options = options;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#buffer.length - this.#first;
  }

  /** What is taken of each sender; undefined where everything is. */
  get senders(): SenderBounds | undefined {
    return this.#options.senders;
  }

  /** Whether a message is within its sender's bound; counts it. */
  admits(subject: string): boolean {
    return this.#options.senders?.admits(subject) ?? true;
  }

  /** Puts a message at the end, at the cost of the oldest where there is no room. */
  push(envelope: Envelope): void {
    this.#buffer.push(envelope);
    this.#bytes += envelope.data.length;
    const { maxPending, maxPendingBytes, onGone } = this.#options;
    while (this.size > maxPending || (this.#bytes > maxPendingBytes && this.size > 1)) {
      this.#take();
      this.#dropped += 1;
      onGone(1);
    }
    this.#announce();
  }

  /** Calls the handler with up to `most` messages, one after the other; then it is the next subscriber's turn. */
  deliver(most: number): void {
    this.#ready = false;
    this.#turnLeft = most;
    this.#goOn();
  }

  /** Throws away what waits; resolves when the handler is not running and will not run again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.senders?.close();
    const waiting = this.size;
    this.#buffer = [];
    this.#first = 0;
    this.#bytes = 0;
    if (waiting > 0) this.#options.onGone(waiting);
    await this.#running;
  }

  #goOn(): void {
    this.#tellDropped();
    while (this.#turnLeft > 0 && this.#running === undefined) {
      const envelope = this.#take();
      if (envelope === undefined) return;
      this.#turnLeft -= 1;
      this.#handle(envelope);
    }
    this.#announce();
  }

  #announce(): void {
    if (this.#ready || this.#running !== undefined || this.size === 0) return;
    this.#ready = true;
    this.#options.onReady(this);
  }

  #take(): Envelope | undefined {
    const envelope = this.#buffer[this.#first];
    if (envelope === undefined) return undefined;
    this.#first += 1;
    this.#bytes -= envelope.data.length;
    if (this.#first >= compactAt && this.#first * 2 >= this.#buffer.length) {
      this.#buffer = this.#buffer.slice(this.#first);
      this.#first = 0;
    }
    return envelope;
  }

  #handle(envelope: Envelope): void {
    const { subject, headers, respond } = envelope;
    const data = envelope.shared ? new Uint8Array(envelope.data) : envelope.data;
    try {
      const message = headers === undefined ? { subject, data, respond } : { subject, data, headers, respond };
      const handled = this.#options.handler(message);
      if (handled !== undefined) {
        this.#running = this.#finish(handled, subject);
        return;
      }
    } catch (error) {
      this.#fail(error, subject);
    }
    this.#options.onGone(1);
  }

  async #finish(handled: Promise<void>, subject: string): Promise<void> {
    try {
      await handled;
    } catch (error) {
      this.#fail(error, subject);
    } finally {
      this.#running = undefined;
      this.#options.onGone(1);
      if (!this.#closed) this.#goOn();
    }
  }

  #tellDropped(): void {
    const dropped = this.#dropped;
    if (dropped === 0) return;
    this.#dropped = 0;
    try {
      this.#options.onSlow?.(dropped);
    } catch (error) {
      this.#fail(error, this.pattern);
    }
  }

  #fail(error: unknown, subject: string): void {
    this.#options.onError(error, { subject, pattern: this.pattern });
  }
}
