import { logRestricted } from './nats-errors.ts';
import { StreamCursor, type StreamCursorOptions } from './stream-cursor.ts';
import type { StoredMessage } from './stored-commit.ts';
import type { LogMessages, PageRequest } from './stream-reader.ts';
import { Turns } from './turns.ts';

/**
 * Reads single subjects of a stream for a node whose key allows no more: each request names the subject in its own,
 * where the server can compare it with what is permitted. Any replica answers, and one that lags may not know the
 * newest commit yet; a node's own stream has one writer, whom the server's compare-and-swap tells.
 */
export class OwnStreamReader implements LogMessages {
  readonly #options: StreamCursorOptions;
  readonly #consumer: string;
  /** There is one consumer, so one page is read at a time. */
  readonly #turns = new Turns(1);

  /** @param consumer the name of the one consumer that the node's key may make on the log. */
  constructor(options: StreamCursorOptions, consumer: string) {
    this.#options = options;
    this.#consumer = consumer;
  }

  async page({ from, subject }: PageRequest): Promise<StoredMessage[]> {
    if (subject === undefined) throw this.#restricted();
    const scope = { subject, consumer: this.#consumer };
    return this.#turns.run(subject, () => new StreamCursor(this.#options, { scope }).page(from));
  }

  async newest(subject: string): Promise<StoredMessage | undefined> {
    const { manager, stream, reach } = this.#options;
    const found = await reach.answer(() => manager.direct.getMessage(stream, { last_by_subj: subject }));
    if (found === null) return undefined;
    return { subject: found.subject, position: found.seq, data: found.data };
  }

  async next(subject: string, from: number): Promise<StoredMessage | undefined> {
    const [first] = await this.page({ from, subject });
    return first;
  }

  async at(): Promise<never> {
    throw this.#restricted();
  }

  async lastPosition(): Promise<never> {
    throw this.#restricted();
  }

  cursor(): never {
    throw this.#restricted();
  }

  #restricted(): Error {
    return logRestricted(this.#options.stream);
  }
}
