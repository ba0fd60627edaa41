import { createInbox, errors, type Msg, type NatsConnection, type Subscription } from 'nats';
import { assert } from '../../../core/assert.ts';
import { limits } from '../../../core/limits.ts';
import type { StoredMessage } from './stored-commit.ts';
import { streamsApi } from '../streams-api.ts';
import { deliveryIn, endsAnswers, isOfStream } from '../ack-subject.ts';

/** How a {@link PullWindow} asks for messages. */
export interface PullWindowOptions {
  readonly connection: NatsConnection;
  /** How the subjects of answers to this node begin. */
  readonly inboxPrefix: string;
  /** The JetStream stream and its consumer. */
  readonly stream: string;
  readonly consumer: string;
}

const noResponders = 503;

/**
 * Keeps several requests under way to a consumer, so that the server sends while what came before is handled. They share
 * one inbox: a server gives requests that wait a message each in turn, and only in one inbox do all stay in order.
 */
export class PullWindow {
  readonly #options: PullWindowOptions;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  /** What has come and was not taken. */
  #came: StoredMessage[] = [];
  /** Messages that were asked for and have not come. */
  #owed = 0;
  /** The position of the newest one that came. */
  #newest: number;
  #ended: Error | undefined;
  /** Whether the last message that came is one behind which others are lost. */
  #isCut = false;
  /** How many have to be there before whoever waits is woken. */
  #wanted = 0;
  #wake: () => void = () => undefined;

  /** @param from the position from which on the consumer sends. */
  constructor(options: PullWindowOptions, from: number) {
    this.#options = options;
    this.#newest = from - 1;
    this.#inbox = createInbox(options.inboxPrefix);
    this.#subscription = options.connection.subscribe(this.#inbox, {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#end(error)),
    });
  }

  /**
   * The next messages, up to `limits.logPullCommitsMax`; none only behind `last`, a position that the stream has.
   *
   * @throws TimeoutError where none comes in time, and what else has ended the window.
   */
  async take(last: number, answerMs: number): Promise<StoredMessage[]> {
    this.#ask(last);
    const taken = this.#newest - this.#came.length;
    const wanted = Math.min(limits.logPullCommitsMax, last - taken);
    if (this.#came.length < wanted) await this.#until(wanted, answerMs);
    if (this.#came.length === 0 && wanted > 0) throw this.#ended ?? new errors.TimeoutError();
    const page = this.#came.slice(0, wanted);
    this.#came = this.#came.slice(wanted);
    return page;
  }

  /** Whether nothing more comes in order, and all that did was taken: {@link endsAnswers}. */
  get isOver(): boolean {
    return this.#isCut && this.#came.length === 0;
  }

  close(): void {
    this.#subscription.unsubscribe();
    this.#wake();
  }

  #ask(last: number): void {
    const { connection, stream, consumer } = this.#options;
    const room = limits.logPullsMax * limits.logPullCommitsMax;
    while (
      this.#ended === undefined &&
      !this.#isCut &&
      this.#came.length + this.#owed + limits.logPullCommitsMax <= room
    ) {
      // No more than there is: a server refuses the rest at once, and not in turn.
      const batch = Math.min(limits.logPullCommitsMax, last - this.#newest - this.#owed);
      if (batch <= 0) return;
      const request = { batch, max_bytes: limits.logPullBytesMax, no_wait: true };
      connection.publish(`${streamsApi(connection)}.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(request), {
        reply: this.#inbox,
      });
      this.#owed += batch;
    }
  }

  async #until(count: number, answerMs: number): Promise<void> {
    const giveUpAt = performance.now() + answerMs;
    // A moment more than the time, so that it is over when this wakes.
    const timer = setTimeout(() => this.#wake(), answerMs + 1);
    const isMissing = (): boolean =>
      this.#came.length < count && this.#owed > 0 && !this.#isCut && this.#ended === undefined;
    while (isMissing() && performance.now() < giveUpAt) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#wanted = count;
      });
    }
    clearTimeout(timer);
  }

  #receive(message: Msg): void {
    if (this.#isCut) return;
    const { subject, data, reply, headers } = message;
    if (!isOfStream(message)) {
      if (headers?.code === noResponders) this.#end(new errors.NoRespondersError(subject));
      // Cut for its bytes: it says how many it leaves.
      else this.#owed -= Number(headers?.get('Nats-Pending-Messages') ?? this.#owed);
      this.#wake();
      return;
    }
    const position = sequenceIn(reply ?? '');
    this.#came.push({ subject, position, data });
    this.#newest = position;
    this.#owed -= 1;
    this.#isCut = endsAnswers(message);
    if (this.#isCut || this.#came.length >= this.#wanted || this.#owed <= 0) this.#wake();
  }

  #end(error: Error): void {
    this.#ended = error;
    this.#wake();
  }
}

/** The sequence of a consumer's message, by its reply subject. */
export function sequenceIn(reply: string): number {
  const sequence = Number(deliveryIn(reply).sequence);
  assert(Number.isSafeInteger(sequence), `the reply subject of a consumer's message: ${reply}`);
  return sequence;
}
