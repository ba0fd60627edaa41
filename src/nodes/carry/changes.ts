import type { Clock } from '../../ports/clock.ts';

/** Wakes who waits for something to change, so that nobody has to look again and again. */
export class Changes {
  #next = new AbortController();

  /** Something has changed. */
  tell(): void {
    const told = this.#next;
    this.#next = new AbortController();
    told.abort();
  }

  /** Resolves at the next change or after a time. Throws once `signal` is aborted, so that no loop around it spins. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, AbortSignal.any([this.#next.signal, signal])).catch(() => undefined);
    signal.throwIfAborted();
  }
}
