import type { Subscription } from './event-store.ts';

/** A message as a subscriber sees it. */
export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Answers a request; does nothing on a plain message. */
  readonly respond: (data: Uint8Array) => void;
}

/** How to subscribe. */
export interface SubscribeOptions {
  /** Members of the same queue group share the messages: each goes to one of them. */
  readonly queue?: string;
  /** Messages that may wait for the handler; default `limits.busPendingMessagesMax`. */
  readonly maxPending?: number;
  /** Told once each time messages were dropped because the buffer was full. */
  readonly onSlow?: (dropped: number) => void;
}

/**
 * Publish, subscribe and request over NATS subjects: tokens separated by `.`, `*` for one token, `>` for
 * one or more at the end. A subscriber gets messages one at a time, in the order in which one publisher sent them;
 * delivery is at most once. `test/features/bus.features.ts` is its contract.
 */
export interface Bus {
  /** @throws PouwError `invalid_subject`, `message_too_large`, `bus_closed`. */
  publish(subject: string, data: Uint8Array): void;
  /** @throws PouwError `invalid_subject`, `bus_closed`. */
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Subscription;
  /**
   * The first answer to a request.
   *
   * @throws PouwError `no_responders` at once where nobody listens, `request_timeout` after `timeoutMs`.
   */
  request(subject: string, data: Uint8Array, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Uint8Array>;
  /** Waits until everything published has been handled, then closes. */
  drain(): Promise<void>;
}
