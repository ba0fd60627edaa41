import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../ports/clock.ts';
import type { Edge } from './edge.ts';
import { keepAliveComment } from './answers/server-sent-event.ts';
import { type Exchange, readerTooSlow } from './exchange.ts';
import type { GatewayLimits } from './gateway-limits.ts';

/**
 * An answer of server-sent events, written to the socket itself, one write per event. It holds no more than the
 * socket does: who writes waits in {@link EventStream.drained} while that is full.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #limits: GatewayLimits;
  #lastWriteAt: number;
  #forgetTimer: () => void = () => {};

  private constructor(reply: FastifyReply, exchange: Exchange, clock: Clock, bounds: GatewayLimits) {
    this.#response = reply.raw;
    this.#exchange = exchange;
    this.#clock = clock;
    this.#limits = bounds;
    this.#lastWriteAt = clock.now();
  }

  /** Sends the headers: from here on an error is an event. */
  static open(reply: FastifyReply, exchange: Exchange, edge: Pick<Edge, 'clock' | 'limits' | 'watch'>): EventStream {
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Nginx would gather the events before it passes them on.
      'x-accel-buffering': 'no',
    });
    reply.raw.flushHeaders();
    const stream = new EventStream(reply, exchange, edge.clock, edge.limits);
    reply.raw.once('close', edge.watch.stream('sse'));
    stream.#keepAlive();
    return stream;
  }

  /** Writes an event; false where the socket is full, and {@link EventStream.drained} must be awaited. */
  write(event: string): boolean {
    if (event === '' || this.#response.destroyed) return true;
    this.#lastWriteAt = this.#clock.now();
    return this.#response.write(event);
  }

  /**
   * Resolves once the reader has made room.
   *
   * @throws PouwError the exchange's reason where it ends meanwhile; `reader_too_slow` after `httpStallMsMax`.
   */
  async drained(): Promise<void> {
    const { signal } = this.#exchange;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onAbort = (): void => reject(signal.reason as Error);
    const { httpStallMsMax } = this.#limits;
    const forgetTimer = this.#clock.at(this.#clock.now() + httpStallMsMax, () => {
      this.#exchange.abort(readerTooSlow(httpStallMsMax));
      this.#response.destroy();
    });
    signal.addEventListener('abort', onAbort, { once: true });
    this.#response.once('drain', resolve);
    try {
      await promise;
    } finally {
      forgetTimer();
      signal.removeEventListener('abort', onAbort);
      this.#response.removeListener('drain', resolve);
    }
  }

  /** Writes a last event and ends the answer. */
  end(lastEvent: string): void {
    this.#forgetTimer();
    if (!this.#response.destroyed) this.#response.end(lastEvent);
  }

  #keepAlive(): void {
    const dueAt = this.#lastWriteAt + this.#limits.httpKeepAliveMs;
    this.#forgetTimer = this.#clock.at(dueAt, () => {
      if (this.#response.destroyed) return;
      const silentMs = this.#clock.now() - this.#lastWriteAt;
      // A socket that is full already needs no sign of life, and must not be given one after the other.
      if (silentMs >= this.#limits.httpKeepAliveMs && !this.#response.writableNeedDrain) this.write(keepAliveComment);
      if (this.#response.writableNeedDrain) this.#lastWriteAt = this.#clock.now();
      this.#keepAlive();
    });
  }
}
