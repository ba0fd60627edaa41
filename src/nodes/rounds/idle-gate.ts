import type { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { NotYet } from '../../runtime/not-yet.ts';

/**
 * Says when a process is idle: its nodes have no more than `limits.idleInHandMax` paying tasks in hand, all together. They
 * share threads and models, so a task of one is in the way of the idle work of all.
 */
export class IdleGate {
  readonly #inHand = new Set<() => number>();

  /** Counts what a node has in hand from now on. */
  watch(inHand: () => number): void {
    this.#inHand.add(inHand);
  }

  get isIdle(): boolean {
    let sum = 0;
    for (const inHand of this.#inHand) sum += inHand();
    return sum <= limits.idleInHandMax;
  }

  /**
   * Runs something that gives way as soon as a paying task comes.
   *
   * @param isWanted asked at each look: whether it is still of use.
   * @throws NotYet `idle_work_waits` where the process is not idle, or was not to the end: it is begun again after that.
   */
  async run<T>(
    clock: Clock,
    isWanted: () => boolean,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    if (!this.isIdle) throw waits();
    const [stop, over] = [new AbortController(), new AbortController()];
    const watch = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await clock.sleep(limits.idleLookMs, over.signal).catch(() => undefined);
        if (!over.signal.aborted && !(this.isIdle && isWanted())) return stop.abort(waits());
      }
    };
    const watching = watch();
    try {
      return await work(AbortSignal.any([stop.signal, signal]));
    } catch (error) {
      throw stop.signal.aborted ? waits() : error;
    } finally {
      over.abort();
      await watching;
    }
  }
}

function waits(): PouwError {
  return new NotYet('idle_work_waits', 'Idle work waits for paying tasks.', { class: 'busy' });
}
