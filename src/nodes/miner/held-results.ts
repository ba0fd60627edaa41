import type { ChainFact } from '../../core/chain-fact.ts';
import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ShowBody } from '../../messages/batches.ts';
import type { Owed } from './owed.ts';

/**
 * The results of batched sessions that validators may still ask for: with its word to the router a miner's job is done, and
 * its content is wanted until the batch is judged. In memory only: what a crash forgets is served all the same.
 */
export class HeldResults {
  readonly #held = new Map<TaskId, { readonly batch: number; readonly until: number }>();

  /** The chain binds the miner's precommit, in this batch. */
  shown({ task, batch, revealBy }: Pick<ShowBody, 'task' | 'batch' | 'revealBy'>, nowMs: number): void {
    this.list(nowMs);
    this.#held.set(task, { batch, until: revealBy + limits.drainLateMs });
  }

  /** A batch is judged, or void: nobody asks for its results any more. */
  note(fact: ChainFact): void {
    if (fact.type !== 'BatchPosted' && fact.type !== 'BatchVoid') return;
    for (const [task, { batch }] of this.#held) if (batch === fact.batch) this.#held.delete(task);
  }

  /** What is held, and until when at most. */
  list(nowMs: number): readonly (Owed & { readonly task: TaskId })[] {
    for (const [task, { until }] of this.#held) if (until <= nowMs) this.#held.delete(task);
    return [...this.#held].map(([task, { until }]) => ({ task, what: 'content', until }));
  }
}
