import type { AnchoredHead } from '../../core/anchor.ts';
import { sha256 } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';

/** How to look at the log and its anchors. */
export interface AnchorLook {
  /** The head of a session that is not anchored now; undefined where there is none. */
  readonly newHead: () => Promise<AnchoredHead | undefined>;
  /** Whether it was, by the last look. */
  readonly isAnchored: (head: AnchoredHead) => boolean;
}

/**
 * How long a router waits for another one, which has the lease, to anchor. Who has the lease and does not anchor would else
 * keep all others from it for ever. Each router waits for a time of its own, so that they do not all come at once.
 */
export class AnchorPatience {
  readonly #waitMs: number;
  #sinceMs: number | undefined;
  /** What was not anchored when the log was last looked at. */
  #waiting: AnchoredHead | undefined;

  constructor(router: Address, everyMs: number) {
    const share = Number.parseInt(sha256(`anchor/${router}`).slice(0, 8), 16) / 2 ** 32;
    this.#waitMs = Math.max(limits.anchorOverdueTurns * everyMs, limits.anchorOverdueMsMin) * (1 + share);
  }

  /** This router has the lease itself. */
  reset(): void {
    this.#sinceMs = undefined;
    this.#waiting = undefined;
  }

  /**
   * Whether it has waited long enough: of two looks, so far apart, the first found a session's commit that was not anchored
   * by the second, whatever else was. So it looks once in that time only, which takes as long as the log has streams.
   */
  async isOver(nowMs: number, { newHead, isAnchored }: AnchorLook): Promise<boolean> {
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#sinceMs < this.#waitMs) return false;
    const waited = this.#waiting;
    this.#waiting = await newHead();
    this.#sinceMs = nowMs;
    return waited !== undefined && !isAnchored(waited);
  }
}
