import type { StoredCommit } from '../../ports/event-store.ts';

/** Whom a {@link CommitFollower} tells what. */
export interface CommitFollowerOptions {
  readonly fromPosition: number;
  readonly handler: (stored: StoredCommit) => void | Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onClose: () => void;
}

/**
 * Hands every commit from a position on to one handler, exactly once and in order. Catching up and following are the
 * same loop over one cursor: read what is there, then wait to be woken; so there is no hand-over that could lose or
 * repeat a commit. A handler that throws is reported and does not see that commit again.
 */
export abstract class CommitFollower {
  /** The position of the next commit. */
  protected next: number;
  protected isClosed = false;
  protected readonly onError: (error: unknown) => void;
  readonly #handler: CommitFollowerOptions['handler'];
  readonly #onClose: () => void;
  #woken = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  protected constructor({ fromPosition, handler, onError, onClose }: CommitFollowerOptions) {
    this.next = fromPosition;
    this.onError = onError;
    this.#handler = handler;
    this.#onClose = onClose;
  }

  /** Lets the caller of {@link start} get through. */
  protected abstract begin(): Promise<void>;

  /** Hands over what there is from `next` on, or waits until woken. Throws where the log cannot be read on. */
  protected abstract step(): Promise<void>;

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
    this.isClosed = true;
    this.#wake?.();
    await this.#running;
  }

  /** Hands the next commits over, until it is closed. */
  protected async handOver(commits: Iterable<StoredCommit>): Promise<void> {
    for (const stored of commits) {
      if (this.isClosed) return;
      this.next = stored.position + 1;
      try {
        const handled = this.#handler(stored);
        if (handled !== undefined) await handled;
      } catch (error) {
        this.onError(error);
      }
    }
  }

  /** Resolves at once where it was woken since the step began. */
  protected untilWoken(): Promise<void> {
    if (this.#woken || this.isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  async #run(): Promise<void> {
    try {
      await this.begin();
      while (!this.isClosed) {
        this.#woken = false;
        await this.step();
      }
    } catch (error) {
      // The log cannot be read on: the subscription ends, and says so.
      if (!this.isClosed) this.onError(error);
    } finally {
      this.#onClose();
    }
  }
}
