import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { errors, type NatsConnection, nanos } from 'nats';
import { present } from '../../../core/assert.ts';
import { limits } from '../../../core/limits.ts';
import { isForbidden } from '../nats-errors.ts';
import { isConsumerMissing } from './nats-errors.ts';
import { endsAnswers, isOfStream } from '../ack-subject.ts';
import { asked } from '../asked.ts';
import { PullWindow, sequenceIn } from './pull-window.ts';
import type { Reach } from './reach.ts';
import type { StoredMessage } from './stored-commit.ts';
import { streamsApi } from '../streams-api.ts';

/** What of a stream a {@link StreamCursor} reads. */
export interface CursorScope {
  /** Only what has this subject. */
  readonly subject: string;
  /** The name of the consumer; what there is of this name from before is taken away first. */
  readonly consumer: string;
}

/** What a {@link StreamCursor} reads, and over what. */
export interface StreamCursorOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** How the subjects of answers to this node begin. Default the client's. */
  readonly inboxPrefix?: string;
  /** The JetStream stream. */
  readonly stream: string;
  readonly reach: Reach;
}

const noResponders = 503;
/** How long a consumer that nobody asks any more is kept by the server; one of a single subject is asked once. */
const consumerIdleMs = { all: 30_000, subject: 5_000 };

/**
 * Reads much of a stream from front to back over a consumer on its leader, which costs half of what direct gets cost:
 * its messages come without headers that describe them. A consumer that is lost is made again where it stood. Behind a
 * message of nothing ({@link endsAnswers}) it reads without one until there are none of those: as many as anybody likes
 * to write then cost what other messages cost.
 */
export class StreamCursor {
  readonly #options: StreamCursorOptions;
  readonly #scope: CursorScope | undefined;
  /** Reads a page without a consumer, for what cannot be read with one. */
  readonly #plainly: ((from: number) => Promise<StoredMessage[]>) | undefined;
  /** Whether the message before the next one was one of nothing. */
  #isAfterNothing = false;
  #consumer: string | undefined;
  #window: PullWindow | undefined;
  #next = 0;

  constructor(
    options: StreamCursorOptions,
    { scope, plainly }: { readonly scope?: CursorScope; readonly plainly?: (from: number) => Promise<StoredMessage[]> },
  ) {
    this.#options = options;
    this.#scope = scope;
    this.#plainly = plainly;
  }

  /**
   * Messages from a position on, in order; none where there are no more.
   *
   * @param last a position that the stream has and up to which more pages will be asked for: the server sends those
   *   while this one is handled.
   */
  async page(from: number, last?: number): Promise<StoredMessage[]> {
    if (this.#isAfterNothing && this.#plainly !== undefined) {
      const page = await this.#plainly(from);
      this.#isAfterNothing = page.some(({ data }) => data.length === 0);
      return page;
    }
    const page = await this.#options.reach.answer(async (answerMs, again) => {
      if (this.#consumer === undefined || this.#next !== from || again) await this.#begin(from);
      return last === undefined ? this.#pull(answerMs) : this.#ahead(from).take(last, answerMs);
    });
    this.#next = (page.at(-1)?.position ?? from - 1) + 1;
    if (page.at(-1)?.data.length === 0 && this.#plainly !== undefined) {
      this.#isAfterNothing = true;
      this.close().catch(() => undefined);
    }
    return page;
  }

  /** Gives the consumer back. Where this fails, the server forgets it by itself. */
  async close(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#window?.close();
    this.#window = undefined;
    if (consumer !== undefined) await this.#options.manager.consumers.delete(this.#options.stream, consumer);
  }

  async #begin(from: number): Promise<void> {
    const { manager, stream } = this.#options;
    const scope = this.#scope;
    if (scope === undefined) this.close().catch(() => undefined);
    else await this.#forget(scope.consumer);
    const { name } = await manager.consumers.add(stream, {
      // With a name and one subject the request's own subject tells both, so that servers can permit it or not.
      ...(scope === undefined ? {} : { name: scope.consumer, filter_subject: scope.subject }),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(scope === undefined ? consumerIdleMs.all : consumerIdleMs.subject),
    });
    this.#consumer = name;
    this.#next = from;
  }

  /** A consumer that was left behind stands where it was left. */
  async #forget(consumer: string): Promise<void> {
    try {
      await this.#options.manager.consumers.delete(this.#options.stream, consumer);
    } catch (error) {
      // Servers with the permissions of an older pouw let a node delete none; theirs goes when it is idle.
      if (!isConsumerMissing(error) && !isForbidden(error)) throw error;
    }
  }

  #ahead(from: number): PullWindow {
    const { connection, inboxPrefix = '_INBOX', stream } = this.#options;
    const consumer = present(this.#consumer, 'the consumer that was made');
    this.#window ??= new PullWindow({ connection, inboxPrefix, stream, consumer }, from);
    return this.#window;
  }

  async #pull(answerMs: number): Promise<StoredMessage[]> {
    const { connection, stream } = this.#options;
    const messages: StoredMessage[] = [];
    const request = { batch: limits.logPageCommitsMax, max_bytes: limits.storePageBytesMax, no_wait: true };
    const next = `${streamsApi(connection)}.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`;
    for await (const answer of asked(connection, next, JSON.stringify(request), answerMs)) {
      const { subject, data, reply, headers } = answer;
      // What is not of the log comes last and says why there is no more.
      if (!isOfStream(answer)) {
        if (headers?.code === noResponders) throw new errors.NoRespondersError(subject);
        return messages;
      }
      messages.push({ subject, position: sequenceIn(reply ?? ''), data });
      if (messages.length === request.batch || endsAnswers(answer)) return messages;
    }
    throw new errors.TimeoutError();
  }
}
