import { assert } from '../core/assert.ts';
import { sleepUsing } from '../ports/sleep.ts';
import type { Clock } from '../ports/clock.ts';
import { TimerHeap } from './timer-heap.ts';

/** How to make a {@link VirtualClock}. */
export interface VirtualClockOptions {
  /** Milliseconds since 1970 at the start; default 0. */
  readonly startMs?: number;
  /**
   * Awaited before the first timer and after each one, so that what it set off is done before time moves on.
   * The default lets ready promises continue; over adapters that use the event loop, hand in a turn of it.
   */
  readonly settle?: () => Promise<void>;
}

/** Promise continuations that the default `settle` lets run one after the other. */
const settleSteps = 32;

async function settlePromises(): Promise<void> {
  for (let step = 0; step < settleSteps; step++) await Promise.resolve();
}

/**
 * A clock that stands still until it is told to go on: a day passes in a moment, and the same timers run in
 * the same order every time.
 *
 * @example
 * const clock = new VirtualClock();
 * clock.at(1_000, () => console.log('one second later'));
 * await clock.advance(1_000);
 */
export class VirtualClock implements Clock {
  readonly sleep: Clock['sleep'];
  readonly #settle: () => Promise<void>;
  readonly #timers = new TimerHeap();
  #nowMs: number;
  #advancing = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#nowMs = options.startMs ?? 0;
    this.#settle = options.settle ?? settlePromises;
    this.sleep = sleepUsing(this);
  }

  now(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): () => void {
    return this.#timers.add(atMs, run);
  }

  /** When the next timer is due, undefined where none waits: what a simulator jumps to. */
  nextAt(): number | undefined {
    return this.#timers.nextAt();
  }

  /** Lets `ms` pass: runs every timer that falls due, each at its own time, the earliest first. */
  async advance(ms: number): Promise<void> {
    assert(ms >= 0, 'time does not run backwards');
    assert(!this.#advancing, 'a virtual clock is advanced by one caller at a time');
    this.#advancing = true;
    try {
      const untilMs = this.#nowMs + ms;
      await this.#settle();
      for (let timer = this.#timers.take(untilMs); timer !== undefined; timer = this.#timers.take(untilMs)) {
        // A timer set for a moment that has passed runs now: time never goes back.
        this.#nowMs = Math.max(this.#nowMs, timer.atMs);
        timer.run();
        await this.#settle();
      }
      this.#nowMs = untilMs;
    } finally {
      this.#advancing = false;
    }
  }
}
