import type { StreamId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * One alarm per stream: the earliest of its timers. The alarm outlives the actor in memory, so that an
 * evicted actor is woken when it is due.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #fire: (stream: StreamId) => void;
  #isClosed = false;
  readonly #alarms = new Map<StreamId, { at: number; cancel: () => void }>();

  constructor(clock: Clock, fire: (stream: StreamId) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Sets, moves or (undefined) takes away the alarm of a stream. */
  set(stream: StreamId, at: number | undefined): void {
    const current = this.#alarms.get(stream);
    if (current?.at === at) return;
    current?.cancel();
    this.#alarms.delete(stream);
    if (at === undefined || this.#isClosed) return;
    const cancel = this.#clock.at(at, () => {
      this.#alarms.delete(stream);
      this.#fire(stream);
    });
    this.#alarms.set(stream, { at, cancel });
  }

  /** Takes all alarms away. */
  clear(): void {
    for (const { cancel } of this.#alarms.values()) cancel();
    this.#alarms.clear();
  }

  /** Takes all alarms away and sets no more: one that was left would keep the process from ending. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }
}
