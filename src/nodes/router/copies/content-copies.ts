import { errorCode } from '../../../core/errors.ts';
import type { Cid } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { NodeBase } from '../../node-base.ts';

/** How many copies there may be. */
export interface CopyBounds {
  /** Under way at a time. Default `limits.contentCopiesMax`. */
  readonly copiesMax?: number;
  /** Waiting for their turn; one more is not made. Default `limits.contentCopiesWaitingMax`. */
  readonly waitingMax?: number;
  /** How long each is tried, in milliseconds. Default `limits.contentCopyMsMax`. */
  readonly copyMs?: number;
  /** Where the same may be on its way already; what comes there need not be fetched. */
  readonly elsewhere?: ContentCopies;
}

/** Copies of content that would be gone with the one node that has it. */
export class ContentCopies {
  readonly #base: Pick<NodeBase, 'ports' | 'stopping'>;
  readonly #copiesMax: number;
  readonly #waitingMax: number;
  readonly #copyMs: number;
  readonly #elsewhere: ContentCopies | undefined;
  /** Those under way and those that wait, by what they copy. */
  readonly #taken = new Map<Cid, Promise<boolean>>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(base: Pick<NodeBase, 'ports' | 'stopping'>, bounds: CopyBounds = {}) {
    this.#base = base;
    this.#copiesMax = bounds.copiesMax ?? limits.contentCopiesMax;
    this.#waitingMax = bounds.waitingMax ?? limits.contentCopiesWaitingMax;
    this.#copyMs = bounds.copyMs ?? limits.contentCopyMsMax;
    this.#elsewhere = bounds.elsewhere;
    base.stopping.addEventListener('abort', () => this.#next());
  }

  /** Copies content, once at a time; never rejects. @returns whether it is here, and pinned, now. */
  take(cid: Cid): Promise<boolean> {
    const taken = this.#taken.get(cid);
    if (taken !== undefined) return taken;
    if (this.#base.stopping.aborted || this.#taken.size >= this.#copiesMax + this.#waitingMax)
      return Promise.resolve(false);
    const copy = this.#inTurn(cid).finally(() => this.#taken.delete(cid));
    this.#taken.set(cid, copy);
    return copy;
  }

  /** The copy of a content that is under way or waits; undefined where there is none. */
  underWay(cid: Cid): Promise<boolean> | undefined {
    return this.#taken.get(cid);
  }

  /** Resolves once no copy is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#taken.values());
  }

  async #inTurn(cid: Cid): Promise<boolean> {
    if (this.#underWay < this.#copiesMax) this.#underWay += 1;
    // Whoever is woken has its place already.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#copy(cid);
    } finally {
      this.#underWay -= 1;
      this.#next();
    }
  }

  #next(): void {
    while (this.#waiting.length > 0 && (this.#underWay < this.#copiesMax || this.#base.stopping.aborted)) {
      this.#underWay += 1;
      this.#waiting.shift()?.();
    }
  }

  async #copy(cid: Cid): Promise<boolean> {
    const { ports, stopping } = this.#base;
    try {
      stopping.throwIfAborted();
      const elsewhere = this.#elsewhere?.underWay(cid);
      if (elsewhere !== undefined && (await elsewhere)) return true;
      await ports.content.get(cid, { timeoutMs: this.#copyMs, signal: stopping });
      return true;
    } catch (error) {
      // Whoever needs it asks for it itself, and for longer.
      ports.log.debug('content was not copied', { cid, code: errorCode(error) });
      return false;
    }
  }
}
