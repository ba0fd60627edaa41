import type { StoredCommit } from '../../ports/event-store.ts';

/** What a {@link StoreSubscription} is made of. */
export interface StoreSubscriptionOptions {
  readonly fromPosition: number;
  readonly handler: (stored: StoredCommit) => void | Promise<void>;
  /** The next commits from a position on, in order; none where there are no more yet. */
  readonly readPage: (fromPosition: number) => StoredCommit[];
  /** Lets others have the event loop. */
  readonly turn: () => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onClose: () => void;
}

/**
 * Hands every commit from a position on to one handler, exactly once and in order. Catching up and following
 * are the same loop over one cursor: read what is there, then wait to be woken; so there is no hand-over that
 * could lose or repeat a commit. A handler that throws is reported and does not see that commit again.
 */
export class StoreSubscription {
  readonly #options: StoreSubscriptionOptions;
  #next: number;
  #closed = false;
  #woken = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: StoreSubscriptionOptions) {
    this.#options = options;
    this.#next = options.fromPosition;
  }

  /** Begins; the handler is first called after the caller is through. */
  start(): void {
    this.#running = this.#run();
  }

  /** Says that there may be new commits. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Resolves when the handler is not running and will not run again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#options.turn();
      while (!this.#closed) {
        this.#woken = false;
        const page = this.#options.readPage(this.#next);
        if (page.length === 0) await this.#untilWoken();
        else await this.#handle(page);
      }
    } catch (error) {
      // The log cannot be read on: the subscription ends, and says so.
      this.#options.onError(error);
    } finally {
      this.#options.onClose();
    }
  }

  async #handle(page: readonly StoredCommit[]): Promise<void> {
    for (const stored of page) {
      if (this.#closed) return;
      this.#next = stored.position + 1;
      try {
        const handled = this.#options.handler(stored);
        if (handled !== undefined) await handled;
      } catch (error) {
        this.#options.onError(error);
      }
    }
    await this.#options.turn();
  }

  #untilWoken(): Promise<void> {
    if (this.#woken || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
