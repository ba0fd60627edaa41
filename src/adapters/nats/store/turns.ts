/** Lets a bounded number of tasks run at a time, those of one key one after the other, each in order of asking. */
export class Turns {
  readonly #most: number;
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Tasks that run or wait. */
  get size(): number {
    return this.#size;
  }

  /** Runs a task when it is its turn. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    this.#size += 1;
    const before = this.#last.get(key);
    const own = this.#after(before, task);
    // What waits for this one does so whatever becomes of it.
    const settled = own.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, settled);
    try {
      return await own;
    } finally {
      this.#size -= 1;
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  /** Resolves when no task runs or waits. */
  async idle(): Promise<void> {
    while (this.#size > 0) await Promise.all(this.#last.values());
  }

  async #after<T>(before: Promise<unknown> | undefined, task: () => Promise<T>): Promise<T> {
    await before;
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await task();
    } finally {
      // The place is handed on, so that nobody comes between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
