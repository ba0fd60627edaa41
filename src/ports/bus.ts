import type { Subscription } from './event-store.ts';

/**
 * Names and values that travel beside a message's data, such as the context of a trace. Names have letters, digits,
 * `-` and `_`, and differ by more than upper and lower case; names that begin with `nats-` belong to NATS. Values are
 * printable ASCII without a space at either end.
 */
export type BusHeaders = Readonly<Record<string, string>>;

/** A message as a subscriber sees it. */
export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** As they were published; left out where there are none. */
  readonly headers?: BusHeaders;
  /** Answers a request; does nothing on a plain message. */
  readonly respond: (data: Uint8Array) => void;
}

/** How to publish. */
export interface PublishOptions {
  readonly headers?: BusHeaders;
}

/** How to ask. */
export interface RequestOptions extends PublishOptions {
  /** Milliseconds to wait for an answer. */
  readonly timeoutMs: number;
  /** Gives the request up with its reason. */
  readonly signal?: AbortSignal;
}

/** What a subscription takes of one sender; what is more is dropped before it waits for anything. */
export interface SenderBound {
  /** Messages a second. */
  readonly perS: number;
  /** Messages that may come at once, after a time in which none did. */
  readonly atOnce: number;
  /** Told from time to time how many messages of a sender were dropped. */
  readonly onExcess?: (sender: string, dropped: number) => void;
  /**
   * The senders there are: they, and those that were heard, are heard on while another is shut out. Where it is left out
   * nobody is.
   */
  readonly known?: () => Iterable<string>;
  /** Told that a sender floods, and that a network was asked to send none of its messages for `limits.busShutOutMs`. */
  readonly onShutOut?: (sender: string) => void;
}

/** How to subscribe. */
export interface SubscribeOptions {
  /** Members of the same queue group share the messages: each goes to one of them. */
  readonly queue?: string;
  /** Messages that may wait for the handler; default `limits.busPendingMessagesMax`. */
  readonly maxPending?: number;
  /**
   * Bounds each sender by itself. The last token of a subject names the sender: for subjects where nobody can publish
   * under another's name. Where an answer is to be sent to anybody else than the sender, none is.
   */
  readonly perSender?: SenderBound;
  /** Told once each time messages were dropped because the buffer was full. */
  readonly onSlow?: (dropped: number) => void;
}

/**
 * Publish, subscribe and request over NATS subjects: tokens separated by `.`, `*` for one token, `>` for
 * one or more at the end. A subscriber gets messages one at a time, in the order in which one publisher sent them;
 * delivery is at most once. `test/features/bus.features.ts` is its contract.
 */
export interface Bus {
  /**
   * Sends to whoever has subscribed. What cannot be sent now, because a network is down, is lost.
   *
   * @throws PouwError `invalid_subject`, `invalid_headers`, `message_too_large`, `bus_closed`.
   */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): void;
  /** @throws PouwError `invalid_subject`, `bus_closed`. */
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Subscription;
  /**
   * The first answer to a request.
   *
   * @throws PouwError `no_responders` at once where nobody listens, `request_timeout` after `timeoutMs`,
   *   `bus_disconnected` where a network is down or was lost meanwhile, and what `publish` throws.
   */
  request(subject: string, data: Uint8Array, options: RequestOptions): Promise<Uint8Array>;
  /** Waits until everything published has been handled, then closes. */
  drain(): Promise<void>;
}
