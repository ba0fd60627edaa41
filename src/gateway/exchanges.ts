import type { ServerResponse } from 'node:http';
import { PouwError } from '../core/errors.ts';
import type { SessionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import { clientGone, Exchange, gatewayClosing, requestTimeout } from './exchange.ts';
import type { GatewayLimits } from './gateway-limits.ts';

/** How long aborted exchanges get to tell their clients before the connections are cut. */
const farewellMs = 500;

/**
 * The requests under way: admits them within the bounds, per key and overall, ends those that take too long or
 * whose client has left, and lets them finish when the gateway closes.
 */
export class Exchanges {
  readonly #clock: Clock;
  readonly #limits: GatewayLimits;
  readonly #active = new Set<Exchange>();
  readonly #perKey = new Map<string, number>();
  readonly #afterwork = new Set<Promise<void>>();
  #closing = false;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock, limits: GatewayLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Exchanges under way. */
  get size(): number {
    return this.#active.size;
  }

  /**
   * Admits a request; its place is free again when `response` closes.
   *
   * @throws PouwError `too_many_requests` beyond a bound, `gateway_closing`.
   */
  admit(id: string, keyHash: string, session: SessionId, response: ServerResponse): Exchange {
    if (this.#closing) throw gatewayClosing();
    const { httpRequestsMax, httpRequestsPerKeyMax, httpRequestMsMax } = this.#limits;
    const ofKey = this.#perKey.get(keyHash) ?? 0;
    if (ofKey >= httpRequestsPerKeyMax) throw tooMany(`This key has ${httpRequestsPerKeyMax} requests under way`);
    if (this.#active.size >= httpRequestsMax) throw tooMany(`The gateway has ${httpRequestsMax} requests under way`);
    const exchange = new Exchange(id, session);
    this.#active.add(exchange);
    this.#perKey.set(keyHash, ofKey + 1);
    const forgetTimer = this.#clock.at(this.#clock.now() + httpRequestMsMax, () =>
      exchange.abort(requestTimeout(httpRequestMsMax)),
    );
    response.once('close', () => {
      forgetTimer();
      if (!response.writableFinished) exchange.abort(clientGone());
      this.#release(exchange, keyHash);
    });
    return exchange;
  }

  /** Has a closing gateway wait for work that outlives its request; `work` never rejects. */
  follow(work: Promise<void>): void {
    this.#afterwork.add(work);
    void work.finally(() => this.#afterwork.delete(work));
  }

  /** Admits nothing more, waits for what is under way, at most `forMs`, and aborts the rest. */
  async drain(forMs = this.#limits.httpDrainMsMax): Promise<void> {
    this.#closing = true;
    await this.#within(forMs, this.#idle());
    for (const exchange of this.#active) exchange.abort(gatewayClosing());
    await this.#within(farewellMs, this.#idle());
    await this.#within(forMs, Promise.all(this.#afterwork));
  }

  #release(exchange: Exchange, keyHash: string): void {
    this.#active.delete(exchange);
    const left = (this.#perKey.get(keyHash) ?? 1) - 1;
    if (left === 0) this.#perKey.delete(keyHash);
    else this.#perKey.set(keyHash, left);
    if (this.#active.size === 0) this.#onIdle?.();
  }

  async #idle(): Promise<void> {
    if (this.#active.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  async #within(waitMs: number, event: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<unknown>();
    const forgetTimer = this.#clock.at(this.#clock.now() + waitMs, () => late.resolve(undefined));
    await Promise.race([event, late.promise]);
    forgetTimer();
  }
}

function tooMany(what: string): PouwError {
  return new PouwError('too_many_requests', `${what}, its bound.`, {
    class: 'busy',
    hint: 'Wait for one to end.',
  });
}
