import { sha256 } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';

/**
 * How long a router waits for another one, which has the lease, to anchor. Who has the lease and does not anchor would else
 * keep all others from it for ever. Each router waits for a time of its own, so that they do not all come at once.
 */
export class AnchorPatience {
  readonly #waitMs: number;
  #sinceMs: number | undefined;
  /** Whether the log had something to anchor when it was last looked at. */
  #isBehind = false;

  constructor(router: Address, everyMs: number) {
    const share = Number.parseInt(sha256(`anchor/${router}`).slice(0, 8), 16) / 2 ** 32;
    this.#waitMs = Math.max(limits.anchorOverdueTurns * everyMs, limits.anchorOverdueMsMin) * (1 + share);
  }

  /** An anchor has come, or this router has the lease itself. */
  reset(): void {
    this.#sinceMs = undefined;
    this.#isBehind = false;
  }

  /**
   * Whether it has waited long enough: no anchor came between two looks, so far apart, that both found something new in the
   * log. So it looks once in that time only, which takes as long as the log has streams.
   */
  async isOver(nowMs: number, hasMoved: () => Promise<boolean>): Promise<boolean> {
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#sinceMs < this.#waitMs) return false;
    const wasBehind = this.#isBehind;
    this.#isBehind = await hasMoved();
    this.#sinceMs = nowMs;
    return wasBehind && this.#isBehind;
  }
}
