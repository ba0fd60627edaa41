import { limits } from '../../core/limits.ts';

/** Tells when the chain has made no block for too long while a deadline waits for one. */
export class BlockStall {
  #block = -1;
  #since = 0;
  #isTold = false;

  /**
   * Notes the newest block while a deadline is past by the clock and not by the chain.
   *
   * @param now milliseconds since 1970.
   * @returns how long there was no newer block, in milliseconds, once for each time that this is
   *   `limits.chainStallWarnMs` or more; undefined otherwise.
   */
  note(block: number, now: number): number | undefined {
    if (block !== this.#block) {
      [this.#block, this.#since, this.#isTold] = [block, now, false];
      return undefined;
    }
    const forMs = now - this.#since;
    if (this.#isTold || forMs < limits.chainStallWarnMs) return undefined;
    this.#isTold = true;
    return forMs;
  }
}
