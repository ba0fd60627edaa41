import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection, QueuedIterator, Status } from 'nats';
import { ConnectionLost, mayPass } from './nats-errors.ts';

/** Bounds of a {@link Reach}, and how it speaks of failure. */
export interface ReachOptions {
  /** How long something is tried, in milliseconds. */
  readonly reachMs: number;
  /** How long one request waits for its answer, in milliseconds. */
  readonly answerMs: number;
  /** The error for a time-out. */
  readonly unreachable: (waitedMs: number, cause: unknown) => Error;
  /** The error where the connection is closed for good. */
  readonly closed: (cause: unknown) => Error;
  /** Makes an error of the NATS client one for users. */
  readonly explain: (error: unknown) => unknown;
}

const firstPauseMs = 20;
const longestPauseMs = 500;

/**
 * Sends requests over a connection that may break, until they are answered or a bound is reached. Requests must be
 * such that repeating them does no harm.
 */
export class Reach {
  readonly #connection: NatsConnection;
  readonly #options: ReachOptions;
  readonly #status: QueuedIterator<Status>;
  /** Ends the requests under way, whose answers can no longer come. */
  readonly #underWay = new Set<() => void>();
  readonly #reconnectListeners = new Set<() => void>();

  constructor(connection: NatsConnection, options: ReachOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#status = connection.status() as QueuedIterator<Status>;
    void this.#watch();
  }

  /** Calls `listener` each time the connection is there again. @returns forgets the listener. */
  onReconnect(listener: () => void): () => void {
    this.#reconnectListeners.add(listener);
    return () => this.#reconnectListeners.delete(listener);
  }

  /**
   * The answer to a request.
   *
   * @param attempt sends it; told whether it was sent before and may have arrived.
   */
  async answer<T>(attempt: (answerMs: number, again: boolean) => Promise<T>): Promise<T> {
    const { reachMs, answerMs, unreachable, closed, explain } = this.#options;
    const startedAt = performance.now();
    let pauseMs = firstPauseMs;
    for (let again = false; ; again = true) {
      try {
        return await this.#unlessLost(attempt(answerMs, again));
      } catch (error) {
        if (this.#connection.isClosed()) throw closed(error);
        if (!mayPass(error)) throw explain(error);
        const waitedMs = Math.round(performance.now() - startedAt);
        if (waitedMs >= reachMs) throw unreachable(waitedMs, error);
        await sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  }

  /** Stops watching the connection. */
  close(): void {
    this.#status.stop();
    this.#reconnectListeners.clear();
  }

  /** Rejects as soon as the connection is lost: an answer to a question of before never comes. */
  #unlessLost<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = (): void => reject(new ConnectionLost('the connection to the NATS server was lost'));
      this.#underWay.add(lose);
      answer.then(resolve, reject).finally(() => this.#underWay.delete(lose));
    });
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#status) {
      if (type === 'disconnect') for (const lose of this.#underWay) lose();
      if (type === 'reconnect') for (const listener of this.#reconnectListeners) listener();
    }
  }
}
