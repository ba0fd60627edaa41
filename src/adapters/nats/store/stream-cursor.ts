import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { errors, type NatsConnection, nanos } from 'nats';
import { assert } from '../../../core/assert.ts';
import { limits } from '../../../core/limits.ts';
import type { Reach } from './reach.ts';
import type { StoredMessage } from './stored-commit.ts';

/** What a {@link StreamCursor} reads, and over what. */
export interface StreamCursorOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** The JetStream stream. */
  readonly stream: string;
  readonly reach: Reach;
}

const noResponders = 503;
/** How long a consumer that nobody asks any more is kept by the server. */
const consumerIdleMs = 30_000;

/**
 * Reads much of a stream from front to back over a consumer on its leader, which costs half of what direct gets cost:
 * its messages come without headers that describe them. A consumer that is lost is made again where it stood.
 */
export class StreamCursor {
  readonly #options: StreamCursorOptions;
  #consumer: string | undefined;
  #next = 0;

  constructor(options: StreamCursorOptions) {
    this.#options = options;
  }

  /** Messages from a position on, in order and without their ids; none where there are no more. */
  async page(from: number): Promise<StoredMessage[]> {
    const page = await this.#options.reach.answer(async (answerMs, again) => {
      if (this.#consumer === undefined || this.#next !== from || again) await this.#begin(from);
      return this.#pull(answerMs);
    });
    this.#next = (page.at(-1)?.position ?? from - 1) + 1;
    return page;
  }

  /** Gives the consumer back. Where this fails, the server forgets it by itself. */
  async close(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer !== undefined) await this.#options.manager.consumers.delete(this.#options.stream, consumer);
  }

  async #begin(from: number): Promise<void> {
    this.close().catch(() => undefined);
    const { name } = await this.#options.manager.consumers.add(this.#options.stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(consumerIdleMs),
    });
    this.#consumer = name;
    this.#next = from;
  }

  async #pull(answerMs: number): Promise<StoredMessage[]> {
    const { connection, stream } = this.#options;
    const messages: StoredMessage[] = [];
    const request = { batch: limits.logPageCommitsMax, max_bytes: limits.storePageBytesMax, no_wait: true };
    const answers = await connection.requestMany(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`,
      JSON.stringify(request),
      // Its messages come under their own subjects, so the client must not sort them by the one they were asked on.
      { strategy: 'timer', maxWait: answerMs, noMux: true },
    );
    for await (const { subject, data, reply, headers } of answers) {
      // A message of the log has data. One without comes last and says why there is no more.
      if (data.length === 0) {
        if (headers?.code === noResponders) throw new errors.NoRespondersError(subject);
        return messages;
      }
      messages.push({ subject, position: sequenceIn(reply ?? ''), data, id: undefined });
      if (messages.length === request.batch) return messages;
    }
    throw new errors.TimeoutError();
  }
}

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.…`; newer servers put domain and account before the stream. */
function sequenceIn(reply: string): number {
  const tokens = reply.split('.');
  const sequence = Number(tokens[tokens.length === 9 ? 5 : 7]);
  assert(Number.isSafeInteger(sequence), `the reply subject of a consumer's message: ${reply}`);
  return sequence;
}
