import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection, Subscription as NatsSubscription } from 'nats';
import type { RequestOptions } from '../../../ports/bus.ts';
import type { Clock } from '../../../ports/clock.ts';
import { noResponders } from '../../bus/bus-errors.ts';
import { type PendingRequest, PendingRequests } from '../../bus/pending-requests.ts';

/** A request that was sent. */
interface Sent {
  readonly subject: string;
  readonly pending: PendingRequest;
}

/** A request on its way, and where its answer is to be sent. */
export interface OpenRequest {
  readonly pending: PendingRequest;
  readonly reply: string;
}

/** What a server answers for a subject that nobody listens on. */
const noRespondersCode = 503;

/**
 * The requests of a bus: one subscription takes all answers, each on a subject of its own. The vendor's client has
 * such a thing too, but a request there can neither be given up nor fail when the connection is lost.
 */
export class NatsRequests {
  readonly #connection: NatsConnection;
  readonly #pending: PendingRequests;
  readonly #sent = new Map<string, Sent>();
  readonly #inbox: string;
  #subscription: NatsSubscription | undefined;

  /** @param answers how the subjects of answers begin. */
  constructor(connection: NatsConnection, clock: Clock, answers: string) {
    this.#connection = connection;
    this.#pending = new PendingRequests(clock);
    this.#inbox = `${answers}.${secretToken()}`;
  }

  /** Begins to wait for an answer. */
  open(subject: string, options: RequestOptions): OpenRequest {
    this.#subscription ??= this.#connection.subscribe(this.#pattern, {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#refused()),
    });
    const pending = this.#pending.open(subject, options);
    const token = secretToken();
    this.#sent.set(token, { subject, pending });
    const forget = (): void => void this.#sent.delete(token);
    pending.answer.then(forget, forget);
    return { pending, reply: `${this.#inbox}.${token}` };
  }

  /**
   * Fails what waits on a subject that the server has refused, or everything where it is the subject of the answers.
   *
   * @returns whether anything has waited.
   */
  failOn(operation: 'publish' | 'subscribe', subject: string, error: unknown): boolean {
    const isInbox = operation === 'subscribe' && subject === this.#pattern;
    const failing = [...this.#sent.values()].filter(
      (sent) => isInbox || (operation === 'publish' && sent.subject === subject),
    );
    for (const { pending } of failing) pending.fail(error);
    return isInbox || failing.length > 0;
  }

  /** Fails all that wait. */
  failAll(error: unknown): void {
    this.#pending.failAll(error);
  }

  /** Fails all that wait and takes no answers any more. */
  close(error: unknown): void {
    this.failAll(error);
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  get #pattern(): string {
    return `${this.#inbox}.*`;
  }

  #receive(message: Msg): void {
    const sent = this.#sent.get(message.subject.slice(this.#inbox.length + 1));
    if (sent === undefined) return;
    if (message.data.length === 0 && message.headers?.code === noRespondersCode)
      sent.pending.fail(noResponders(sent.subject));
    else sent.pending.settle(new Uint8Array(message.data));
  }

  /** The server has ended the subscription; the next request tries again. */
  #refused(): void {
    this.#subscription = undefined;
  }
}

/**
 * Any peer may send to the subjects of answers. What proves that it was asked is that it knows this one, so nobody can
 * tell it from those of other requests.
 */
function secretToken(): string {
  return randomBytes(16).toString('hex');
}
