import type { TaskEvent } from '../../../../actors/task/events.ts';
import type { Event } from '../../../core/commit.ts';
import { errorCode } from '../../../core/errors.ts';
import type { Cid } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { NodeBase } from '../../node-base.ts';

/**
 * Copies of what miners reveal. A miner that dies between its reveal and the validators' reading would take its answer
 * with it, and lose stake for an answer that cannot be had: from then on it can be had here.
 */
export class ResultCopies {
  readonly #base: Pick<NodeBase, 'ports' | 'stopping'>;
  readonly #copiesMax: number;
  readonly #making = new Map<Cid, Promise<void>>();

  /** @param copiesMax how many are made at a time; one more is left to its miner. */
  constructor(base: Pick<NodeBase, 'ports' | 'stopping'>, copiesMax: number = limits.resultCopiesMax) {
    this.#base = base;
    this.#copiesMax = copiesMax;
  }

  /** Copies what a session has just taken as revealed. */
  apply(events: readonly Event[]): void {
    for (const event of events as readonly TaskEvent[]) if (event.type === 'TaskCommitted') this.take(event.result);
  }

  /** Begins to copy a result; nobody waits for it. */
  take(cid: Cid): void {
    if (this.#making.has(cid) || this.#making.size >= this.#copiesMax || this.#base.stopping.aborted) return;
    this.#making.set(
      cid,
      this.#copy(cid).finally(() => this.#making.delete(cid)),
    );
  }

  /** Resolves once no copy is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#making.values());
  }

  async #copy(cid: Cid): Promise<void> {
    const { ports, stopping } = this.#base;
    try {
      await ports.content.get(cid, { timeoutMs: limits.resultCopyMsMax, signal: stopping });
    } catch (error) {
      // Validators ask for it themselves, and for longer.
      ports.log.debug('a result was not copied', { cid, code: errorCode(error) });
    }
  }
}
