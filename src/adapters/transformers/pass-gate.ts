const closedAt = 0;
const insideAt = 1;

/**
 * A gate around everything that runs native engine code in a thread, shared with the thread that owns it.
 *
 * The engine aborts the whole process when its thread is ended in the middle of a pass (its binding cannot
 * create the result any more), which is what `process.exit` would do. So the owner shuts the gate first and
 * waits, without an event loop if need be, until nobody is inside.
 */
export class PassGate {
  /** What to send to the thread. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
  }

  /** Does `pass` inside the gate; never returns once the gate is shut, since the thread is about to end. */
  async through<Result>(pass: () => Promise<Result>): Promise<Result> {
    Atomics.add(this.#cells, insideAt, 1);
    try {
      // Entered first and looked second: either the owner sees us inside, or we see the gate shut.
      if (Atomics.load(this.#cells, closedAt) === 0) return await pass();
    } finally {
      Atomics.sub(this.#cells, insideAt, 1);
      Atomics.notify(this.#cells, insideAt);
    }
    return new Promise<never>(() => undefined);
  }

  /** Lets nobody in any more. */
  shut(): void {
    Atomics.store(this.#cells, closedAt, 1);
  }

  /** Blocks this thread until nobody is inside, for `timeoutMs` at most. */
  waitUntilEmpty(timeoutMs: number): void {
    const until = performance.now() + timeoutMs;
    for (let inside = this.#inside(); inside > 0; inside = this.#inside()) {
      const leftMs = until - performance.now();
      if (leftMs <= 0) return;
      Atomics.wait(this.#cells, insideAt, inside, leftMs);
    }
  }

  /** Resolves once nobody is inside. */
  async empty(): Promise<void> {
    for (let inside = this.#inside(); inside > 0; inside = this.#inside()) {
      await Atomics.waitAsync(this.#cells, insideAt, inside).value;
    }
  }

  #inside(): number {
    return Atomics.load(this.#cells, insideAt);
  }
}
