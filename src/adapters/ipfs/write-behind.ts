/** How much may wait, and how much is written at a time. */
export interface WriteBehindBounds {
  /** Bytes that may wait; then `add` waits for the writer. */
  readonly pendingBytesMax: number;
  /** Entries of one batch. */
  readonly batchMax: number;
}

/**
 * Keeps writes off the caller's path: entries can be read at once and are written in the background, in
 * order and in batches. What could not be written stays readable and is tried again by the next `add` or
 * `drain`; a batch must therefore bear being written twice.
 */
export class WriteBehind<Key> {
  readonly #write: (batch: ReadonlyMap<Key, Uint8Array>) => Promise<void>;
  readonly #bounds: WriteBehindBounds;
  readonly #pending = new Map<Key, Uint8Array>();
  #pendingBytes = 0;
  #running: Promise<void> | undefined;

  /** @param write makes one batch durable. */
  constructor(write: (batch: ReadonlyMap<Key, Uint8Array>) => Promise<void>, bounds: WriteBehindBounds) {
    this.#write = write;
    this.#bounds = bounds;
  }

  /** The bytes of an entry that is not durable yet. */
  get(key: Key): Uint8Array | undefined {
    return this.#pending.get(key);
  }

  /** Takes an entry. Waits for the writer only where too much is pending, and throws what stops the writer then. */
  async add(key: Key, bytes: Uint8Array): Promise<void> {
    while (this.#pendingBytes > 0 && this.#pendingBytes + bytes.length > this.#bounds.pendingBytesMax)
      await this.#run();
    if (this.#pending.has(key)) return;
    this.#pending.set(key, bytes);
    this.#pendingBytes += bytes.length;
    // A failure is not lost: the entry stays pending and `drain` meets the failure again.
    this.#run().catch(() => undefined);
  }

  /** Resolves once everything added so far is durable; throws what stops the writer. */
  async drain(): Promise<void> {
    while (this.#pending.size > 0) await this.#run();
  }

  #run(): Promise<void> {
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = new Map(this.#pending.entries().take(this.#bounds.batchMax));
      await this.#write(batch);
      for (const [key, bytes] of batch) {
        this.#pending.delete(key);
        this.#pendingBytes -= bytes.length;
      }
    }
  }
}
