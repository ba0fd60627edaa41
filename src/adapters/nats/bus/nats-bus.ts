import { InvalidArgumentError, type Msg, type NatsConnection } from 'nats';
import { PouwError } from '../../../core/errors.ts';
import type {
  BusHeaders,
  Bus,
  BusMessage,
  PublishOptions,
  RequestOptions,
  SubscribeOptions,
} from '../../../ports/bus.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Subscription } from '../../../ports/event-store.ts';
import { busClosed } from '../../bus/bus-errors.ts';
import type { BusInbox } from '../../bus/bus-inbox.ts';
import { Deliveries } from '../../bus/deliveries.ts';
import { checkHeaders, checkMessageSize, messageTooLarge } from '../../bus/message-bounds.ts';
import { senderOf } from '../../bus/sender-bounds.ts';
import { checkSubject, checkSubjectPattern } from '../../bus/subject.ts';
import { answersBeside, answersStart, answersTo } from '../inbox-prefix.ts';
import type { NatsEvent, NatsLink } from '../link.ts';
import { fromNatsHeaders, toNatsHeaders } from './nats-headers.ts';
import { isOfServer } from './of-server.ts';
import { NatsRequests } from './nats-requests.ts';
import { SenderSubscriptions } from './sender-subscriptions.ts';
import { OutboundWindow } from './outbound-window.ts';

/** What a bus on NATS is made of. */
export interface NatsBusOptions {
  readonly link: NatsLink;
  /** Times requests out. */
  readonly clock: Clock;
  /** Told what a handler threw, and what the server refused or lost of what was published. */
  readonly onError: (error: unknown, about: { subject: string; pattern: string }) => void;
}

/** How the subjects of answers begin, and those that belong to servers. */
const reservedStart = /^(?:\$|_INBOX|_ANSWER)/;

const ignore = (): void => undefined;

/**
 * A bus over NATS, for nodes in many processes. Closing it leaves the link open, which others may use. What is
 * published while the link is down, or faster than the server takes it, is lost; how much is reported afterwards.
 */
export function createNatsBus(options: NatsBusOptions): Bus {
  return new NatsBus(options);
}

class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #connection: NatsConnection;
  readonly #deliveries: Deliveries;
  readonly #requests: NatsRequests;
  readonly #window: OutboundWindow;
  readonly #subscriptions = new Set<Subscription>();
  readonly #forgetLink: () => void;
  #state: 'open' | 'draining' | 'closed' = 'open';
  #drained: Promise<void> | undefined;
  /** Messages that were sent, to tell whether handlers went on sending while they were waited for. */
  #sent = 0;
  /** Messages that could not be sent and were not reported yet. */
  #lost = 0;

  constructor(options: NatsBusOptions) {
    const { link, clock, onError } = options;
    this.#options = options;
    this.#connection = link.connection;
    this.#deliveries = new Deliveries({ clock, schedule: (run) => void setImmediate(run), onError });
    this.#requests = new NatsRequests(link.connection, clock, answersBeside(link.inboxPrefix));
    this.#window = new OutboundWindow(link.connection);
    this.#forgetLink = link.listen((event) => this.#onEvent(event));
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): void {
    if (!this.#send(subject, data, options)) this.#lost += 1;
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Subscription {
    if (this.#state !== 'open' || this.#connection.isClosed()) throw busClosed();
    checkSubjectPattern(pattern);
    const inbox = this.#deliveries.open(pattern, handler, options);
    const isWanted = subjectFilter(pattern);
    const callback = (error: Error | null, message: Msg): void => {
      // What the server has refused, the link reports.
      const isTaken =
        error === null && isWanted(message.subject) && !isOfServer(message) && inbox.admits(message.subject);
      if (isTaken) this.#receive(inbox, message);
    };
    const queue = options.queue === undefined ? {} : { queue: options.queue };
    const received = new SenderSubscriptions({
      connection: this.#connection,
      clock: this.#options.clock,
      pattern,
      subscribe: (one) => this.#connection.subscribe(one, { ...queue, callback }),
      known: () => inbox.senders?.senders() ?? [],
    });
    // Without knowing who else there is, nobody can be shut out without shutting out others.
    if (inbox.senders !== undefined && options.perSender?.known !== undefined)
      inbox.senders.onFlood = (sender) => {
        if (received.shutOut(sender)) options.perSender?.onShutOut?.(sender);
      };
    const subscription: Subscription = {
      close: () => {
        this.#subscriptions.delete(subscription);
        received.close();
        return inbox.close();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async request(subject: string, data: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    if (this.#state === 'closed' || this.#connection.isClosed()) throw busClosed();
    checkSubject(subject);
    const { pending, reply } = this.#requests.open(subject, options);
    try {
      if (!this.#send(subject, data, options, reply)) pending.fail(disconnected('It cannot be sent now.'));
    } catch (error) {
      pending.fail(error);
    }
    return pending.answer;
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Sends a message; false where it cannot be sent now. */
  #send(subject: string, data: Uint8Array, { headers = {} }: PublishOptions, reply?: string): boolean {
    if (this.#state === 'closed') throw busClosed();
    checkSubject(subject);
    checkMessageSize(subject, data);
    checkHeaders(headers);
    return this.#transmit(subject, data, headers, reply);
  }

  #transmit(subject: string, data: Uint8Array, headers: BusHeaders, reply?: string): boolean {
    const sent = toNatsHeaders(headers, data);
    const options = { ...(sent === undefined ? {} : { headers: sent }), ...(reply === undefined ? {} : { reply }) };
    if (!this.#options.link.isUp() || !this.#window.take(data.length + subject.length)) return false;
    this.#reportLost();
    try {
      // The vendor's client sends a moment later, when the publisher may use its buffer again.
      this.#connection.publish(subject, new Uint8Array(data), options);
    } catch (error) {
      if (this.#connection.isClosed()) throw busClosed();
      // The server takes less than is allowed here: only the client knows how long the headers have become.
      if (error instanceof InvalidArgumentError)
        throw messageTooLarge(subject, data.length, this.#connection.info?.max_payload ?? 0);
      throw error;
    }
    this.#sent += 1;
    return true;
  }

  #receive(inbox: BusInbox, message: Msg): void {
    const { subject, reply } = message;
    const inboxOfSender = inbox.senders !== undefined ? `${answersTo(senderOf(subject))}.` : answersStart;
    this.#deliveries.push([inbox], {
      subject,
      // The client hands out a part of what it has read, all of which would stay in memory.
      data: new Uint8Array(message.data),
      headers: fromNatsHeaders(message.headers),
      shared: false,
      // Whoever asks chooses where the answer goes. Only to an inbox, and to its own where it is known who asks:
      // elsewhere it would be a message in our name.
      respond: reply?.startsWith(inboxOfSender) === true ? (data) => this.#respond(subject, reply, data) : ignore,
    });
  }

  #respond(subject: string, reply: string, data: Uint8Array): void {
    checkMessageSize(subject, data);
    if (this.#state === 'closed' || this.#connection.isClosed()) return;
    if (!this.#transmit(reply, data, {})) this.#lost += 1;
  }

  #onEvent(event: NatsEvent): void {
    if (event.type === 'down') this.#requests.failAll(disconnected('It was lost while an answer was awaited.'));
    if (event.type === 'up') this.#reportLost();
    if (event.type === 'closed') this.#close();
    if (event.type !== 'forbidden') return;
    const { operation, subject, error } = event.refused;
    // Subjects with a dollar are those of others on the same link, such as the event store.
    if (this.#requests.failOn(operation, subject, error) || subject.startsWith('$')) return;
    this.#options.onError(error, { subject, pattern: subject });
  }

  #reportLost(): void {
    const messages = this.#lost;
    if (messages === 0) return;
    this.#lost = 0;
    this.#options.onError(messagesLost(messages), { subject: '>', pattern: '>' });
  }

  async #drain(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'draining';
    await this.#deliveries.waitFor(this.#untilHandled());
    this.#close();
    // What handlers sent last, and that nobody listens here any more, has left when the server answers.
    if (this.#options.link.isUp()) await this.#deliveries.waitFor(this.#flush());
  }

  async #flush(): Promise<void> {
    // It fails when the connection is lost, and then there is nothing to wait for.
    await this.#connection.flush().catch(ignore);
  }

  /** What was published comes back to us before the answer to a ping; handlers may publish in turn. */
  async #untilHandled(): Promise<void> {
    for (;;) {
      const sent = this.#sent;
      if (this.#options.link.isUp()) await this.#flush();
      await this.#deliveries.idle();
      if (this.#sent === sent && this.#deliveries.unhandled === 0) return;
    }
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#forgetLink();
    this.#requests.close(busClosed());
    for (const subscription of this.#subscriptions) void subscription.close();
    this.#reportLost();
  }
}

/**
 * What of the messages that the server hands out is meant for a subscriber. Answers, and what servers tell each other,
 * are nobody's business but that of who has asked. And whoever may read something of a stream can make the server hand
 * it to those who have subscribed to one subject; it comes under the subject that it is stored under.
 */
function subjectFilter(pattern: string): (subject: string) => boolean {
  if (/^[*>]/.test(pattern)) return (subject) => !reservedStart.test(subject);
  if (/[*>]/.test(pattern)) return () => true;
  return (subject) => subject === pattern;
}

function disconnected(why: string): PouwError {
  return new PouwError('bus_disconnected', 'The connection to NATS is down.', {
    class: 'unavailable',
    why,
    hint: 'Try again: it is connected again by itself. Whether the request was carried out is not known.',
  });
}

function messagesLost(messages: number): PouwError {
  return new PouwError('bus_messages_lost', `${messages} messages could not be sent.`, {
    class: 'unavailable',
    why: 'The connection to NATS was down, or the server took messages more slowly than they were sent.',
    details: { messages },
  });
}
