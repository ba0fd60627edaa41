import { assert } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** A request that waits for its first answer. */
export interface PendingRequest {
  readonly answer: Promise<Uint8Array>;
  /** Gives it its answer; does nothing when it has one or has failed. */
  settle(data: Uint8Array): void;
  fail(error: unknown): void;
}

/** The requests of a bus that wait: each ends with an answer, a failure, its time-out or its signal. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #open = new Set<PendingRequest>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to wait. */
  open(subject: string, options: { timeoutMs: number; signal?: AbortSignal }): PendingRequest {
    const { timeoutMs, signal } = options;
    assert(Number.isFinite(timeoutMs) && timeoutMs >= 0, `a request times out after some time: ${timeoutMs} ms`);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const end = (): void => {
      forget();
      signal?.removeEventListener('abort', onAbort);
      this.#open.delete(pending);
    };
    const pending: PendingRequest = {
      answer: promise,
      settle: (data) => {
        end();
        resolve(data);
      },
      fail: (error) => {
        end();
        reject(error);
      },
    };
    const onAbort = (): void => pending.fail(signal?.reason);
    const forget = this.#clock.at(this.#clock.now() + timeoutMs, () => pending.fail(timedOut(subject, timeoutMs)));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(pending);
    return pending;
  }

  /** Fails all that wait. */
  failAll(error: unknown): void {
    for (const pending of this.#open) pending.fail(error);
  }
}

function timedOut(subject: string, timeoutMs: number): PouwError {
  return new PouwError('request_timeout', `No answer on ${subject} within ${timeoutMs} ms.`, {
    class: 'timeout',
    why: 'The node that answers there is busy, or stopped while it worked.',
    hint: 'Try again, or ask another node.',
  });
}
