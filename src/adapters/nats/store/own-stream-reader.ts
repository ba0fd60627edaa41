import { logRestricted } from './nats-errors.ts';
import { StreamCursor, type StreamCursorOptions } from './stream-cursor.ts';
import type { StoredMessage } from './stored-commit.ts';
import type { LogMessages, PageRequest } from './stream-reader.ts';

/**
 * Reads single subjects of a stream for a node whose key allows no more: each request names the subject in its own,
 * where the server can compare it with what is permitted. Any replica answers, and one that lags may not know the
 * newest commit yet; a node's own stream has one writer, whom the server's compare-and-swap tells.
 */
export class OwnStreamReader implements LogMessages {
  readonly #options: StreamCursorOptions;

  constructor(options: StreamCursorOptions) {
    this.#options = options;
  }

  async page({ from, subject }: PageRequest): Promise<StoredMessage[]> {
    if (subject === undefined) throw this.#restricted();
    // The server forgets the consumer by itself: to delete one takes a right of its own.
    return new StreamCursor(this.#options, { subject }).page(from);
  }

  async newest(subject: string): Promise<StoredMessage | undefined> {
    const { manager, stream, reach } = this.#options;
    const found = await reach.answer(() => manager.direct.getMessage(stream, { last_by_subj: subject }));
    if (found === null) return undefined;
    return { subject: found.subject, position: found.seq, data: found.data, id: found.header.get('Nats-Msg-Id') };
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

  async newestOfEach(): Promise<never> {
    throw this.#restricted();
  }

  cursor(): never {
    throw this.#restricted();
  }

  #restricted(): Error {
    return logRestricted(this.#options.stream);
  }
}
