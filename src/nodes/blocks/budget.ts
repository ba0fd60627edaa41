import { assert } from '../../core/assert.ts';

/** Somebody in the queue of a {@link Budget}. */
interface Waiter {
  readonly units: number;
  readonly lent: () => void;
}

/** A number of units that are lent out, first come, first served: who wants many is not overtaken by who wants few. */
export class Budget {
  readonly #units: number;
  readonly #waiting = new Set<Waiter>();
  #free: number;

  constructor(units: number) {
    this.#units = units;
    this.#free = units;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes units until they are disposed of, once they are free; rejects with the signal's reason. */
  async take(units: number, signal: AbortSignal): Promise<Disposable> {
    assert(units <= this.#units, `a budget of ${this.#units} does not have ${units}`);
    signal.throwIfAborted();
    if (this.#waiting.size > 0 || units > this.#free) await this.#wait(units, signal);
    else this.#free -= units;
    let isLent = true;
    const giveBack = (): void => {
      if (!isLent) return;
      isLent = false;
      this.#free += units;
      this.#lend();
    };
    return { [Symbol.dispose]: giveBack };
  }

  #wait(units: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.#waiting.delete(waiter);
      reject(signal.reason as Error);
      // Whoever stood behind may want less.
      this.#lend();
    };
    const lent = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    const waiter = { units, lent };
    this.#waiting.add(waiter);
    signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  #lend(): void {
    for (const waiter of this.#waiting) {
      if (waiter.units > this.#free) return;
      this.#waiting.delete(waiter);
      this.#free -= waiter.units;
      waiter.lent();
    }
  }
}
