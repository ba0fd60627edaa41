import { AckPolicy, DeliverPolicy, type JetStreamClient } from '@nats-io/jetstream';
import { errors, type MsgHdrs, nanos } from 'nats';
import { limits } from '../../../core/limits.ts';
import { endsAnswers } from '../ack-subject.ts';
import { StreamCursor, type StreamCursorOptions } from './stream-cursor.ts';
import type { StoredMessage } from './stored-commit.ts';
import { streamsApi, streamsClient } from '../streams-api.ts';

/** Which messages a page holds. */
export interface PageRequest {
  /** The first position that may be in it. */
  readonly from: number;
  /** One subject, without wildcards; all where it is left out. */
  readonly subject?: string;
}

/** Where a message is in its stream. A server says it behind what the author of the message may have said of it. */
function placeIn(headers: MsgHdrs): Pick<StoredMessage, 'subject' | 'position'> {
  return { subject: headers.last('Nats-Subject'), position: Number(headers.last('Nats-Sequence')) };
}

/** What the log's reader asks of messages. */
export type LogMessages = Pick<StreamReader, 'page' | 'newest' | 'at' | 'next' | 'lastPosition' | 'cursor'>;

const endOfBatch = 204;
const notFound = 404;
const noResponders = 503;
const headsPerFetch = 4_096;
const singlesAtOnce = 64;
/** How long a consumer that nobody asks any more is kept by the server. */
const consumerIdleMs = 30_000;

/**
 * Reads messages of a stream. Pages are direct gets in batches: they need no consumer, so there is nothing to keep
 * alive, to lose in a restart, or to leave behind. Any replica answers them, and one that lags knows less; single
 * messages are asked of the leader, who knows all.
 */
export class StreamReader {
  readonly #options: StreamCursorOptions;
  readonly #client: JetStreamClient;

  constructor(options: StreamCursorOptions) {
    this.#options = options;
    this.#client = streamsClient(options.connection);
  }

  /** Messages from a position on, in order; none where there are none, or none that the replica knows of. */
  page(request: PageRequest): Promise<StoredMessage[]> {
    const { from, subject } = request;
    const body = JSON.stringify({
      seq: from,
      batch: limits.logPageCommitsMax,
      max_bytes: limits.storePageBytesMax,
      ...(subject === undefined ? {} : { next_by_subj: subject }),
    });
    return this.#options.reach.answer((answerMs) => this.#batch(body, answerMs));
  }

  /** The newest message of a subject, from the leader. */
  newest(subject: string): Promise<StoredMessage | undefined> {
    return this.#get({ last_by_subj: subject });
  }

  /** The message at a position, from the leader; undefined where there is none, or none any more. */
  at(position: number): Promise<StoredMessage | undefined> {
    return this.#get({ seq: position });
  }

  /** The first message of a subject at a position or after it, from the leader. */
  next(subject: string, from: number): Promise<StoredMessage | undefined> {
    return this.#get({ seq: from, next_by_subj: subject });
  }

  /** The position of the newest message, 0 for none, from the leader. */
  async lastPosition(): Promise<number> {
    const { state } = await this.#options.reach.answer(() => this.#options.manager.streams.info(this.#options.stream));
    return state.last_seq;
  }

  /** A cursor of its own, for whoever reads much. */
  cursor(): StreamCursor {
    return new StreamCursor(this.#options, { plainly: (from) => this.page({ from }) });
  }

  /** The newest message of each subject that a pattern matches, as of one moment, by position; without data unless asked. */
  newestOfEach(pattern: string, { withData = false } = {}): Promise<StoredMessage[]> {
    return this.#newestOfEach(pattern, withData);
  }

  async #batch(body: string, answerMs: number): Promise<StoredMessage[]> {
    const { connection, stream } = this.#options;
    const messages: StoredMessage[] = [];
    const answers = await connection.requestMany(`${streamsApi(connection)}.DIRECT.GET.${stream}`, body, {
      // Not the client's `sentinel`: it takes a message of nothing for the end, and anybody may have written one.
      strategy: 'timer',
      maxWait: answerMs,
    });
    for await (const { headers, data, subject } of answers) {
      const code = headers?.code ?? 0;
      if (code === endOfBatch || code === notFound) return messages;
      if (code === noResponders) throw new errors.NoRespondersError(subject);
      if (code !== 0 || headers === undefined) throw new Error(`the server answers with status ${code}`);
      messages.push({ ...placeIn(headers), data });
    }
    // The time is over. What came is in order and without gaps, so it is a page of its own.
    if (messages.length === 0) throw new errors.TimeoutError();
    return messages;
  }

  #get(query: { seq?: number; last_by_subj?: string; next_by_subj?: string }): Promise<StoredMessage | undefined> {
    return this.#options.reach.answer(async () => {
      // The client's type knows of no next_by_subj here; the server takes it.
      const found = await this.#options.manager.streams.getMessage(this.#options.stream, query as { seq: number });
      if (found === null) return undefined;
      return { subject: found.subject, position: found.seq, data: found.data };
    });
  }

  async #newestOfEach(pattern: string, withData: boolean): Promise<StoredMessage[]> {
    const { reach } = this.#options;
    const messages = await reach.answer(() => this.#lastOfEach(pattern, withData));
    if (messages !== undefined) return messages;
    // One of them has nothing in it. Without data all have headers, and then they can be read one by one.
    const bare = (await reach.answer(() => this.#lastOfEach(pattern, false))) ?? [];
    const full: StoredMessage[] = [];
    for (let at = 0; at < bare.length; at += singlesAtOnce) {
      const subjects = bare.slice(at, at + singlesAtOnce).map(({ subject }) => subject);
      const found = await Promise.all(subjects.map((subject) => this.#newestHere(subject)));
      full.push(...found.filter((message) => message !== undefined));
    }
    return full;
  }

  /** From any replica, asked in a way that names the subject: all who read a bucket may ask so. */
  async #newestHere(subject: string): Promise<StoredMessage | undefined> {
    const { manager, stream, reach } = this.#options;
    const found = await reach.answer(() => manager.direct.getMessage(stream, { last_by_subj: subject }));
    return found === null ? undefined : { subject: found.subject, position: found.seq, data: found.data };
  }

  /** Undefined where what came ends before it should, for the reason in {@link endsAnswers}. */
  async #lastOfEach(pattern: string, withData: boolean): Promise<StoredMessage[] | undefined> {
    const info = await this.#options.manager.consumers.add(this.#options.stream, {
      deliver_policy: DeliverPolicy.LastPerSubject,
      filter_subject: pattern,
      ack_policy: AckPolicy.None,
      headers_only: !withData,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(consumerIdleMs),
    });
    const messages: StoredMessage[] = [];
    try {
      const consumer = this.#client.consumers.getConsumerFromInfo(info);
      while (messages.length < info.num_pending) {
        const before = messages.length;
        const wanted = Math.min(info.num_pending - before, headsPerFetch);
        for await (const message of await consumer.fetch({ max_messages: wanted, expires: limits.logAnswerMsMax })) {
          const { subject, seq, data } = message;
          messages.push({ subject, position: seq, data });
          if (endsAnswers(message) && messages.length < info.num_pending) return undefined;
        }
        if (messages.length === before) throw new errors.TimeoutError();
      }
    } finally {
      // Where this fails too, the server forgets the consumer by itself.
      await this.#options.manager.consumers.delete(this.#options.stream, info.name).catch(() => false);
    }
    return messages;
  }
}
