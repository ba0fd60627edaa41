import type { Address, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Feeds } from './feeds.ts';

/** Words of a miner that the log has not named yet. */
export interface EarlyWords {
  readonly task: TaskId;
  readonly miner: Address;
  /** Left out where they are not opened yet. */
  readonly attempt?: number;
  readonly bytes: number;
  /** Reads them. */
  readonly again: () => void;
  /** They were not expected after all. */
  readonly drop: () => void;
}

/**
 * Keeps words that come before the log says whose they are: a router that only watches a session reads its commits from
 * the servers, while miners speak to it at once. Bounded in time, messages and bytes; what is not kept is dropped, and
 * was it honest it is asked for.
 */
export class EarlyWordsShelf {
  readonly #feeds: Feeds;
  readonly #clock: Clock;
  /** What is kept, in the order in which it came, and what forgets its timer. */
  readonly #kept = new Map<EarlyWords, () => void>();
  readonly #ofTask = new Map<TaskId, () => void>();
  #bytes = 0;

  constructor(feeds: Feeds, clock: Clock) {
    this.#feeds = feeds;
    this.#clock = clock;
  }

  /** Keeps words for a moment. @returns whether there was room. */
  keep(words: EarlyWords): boolean {
    const { earlyChunksMax, earlyChunksOfOneMax, earlyChunkBytesMax, earlyChunkMs } = limits;
    const ofOne = [...this.#kept.keys()].filter(({ miner }) => miner === words.miner).length;
    const isFull = this.#kept.size >= earlyChunksMax || this.#bytes + words.bytes > earlyChunkBytesMax;
    if (isFull || ofOne >= earlyChunksOfOneMax) return false;
    const forget = this.#clock.at(this.#clock.now() + earlyChunkMs, () => {
      if (this.#take(words)) words.drop();
    });
    this.#kept.set(words, forget);
    this.#bytes += words.bytes;
    const { task } = words;
    if (!this.#ofTask.has(task))
      this.#ofTask.set(
        task,
        this.#feeds.onNews(task, () => this.#look(task)),
      );
    return true;
  }

  /** Forgets all: nobody reads here any more. */
  close(): void {
    for (const forget of [...this.#kept.values(), ...this.#ofTask.values()]) forget();
    this.#ofTask.clear();
    this.#kept.clear();
    this.#bytes = 0;
  }

  /** More is known of a task: what is expected now is read, in the order in which it came. */
  #look(task: TaskId): void {
    for (const words of this.#kept.keys()) {
      if (words.task !== task || this.#feeds.standing(task, words.miner, words.attempt) === 'early') continue;
      if (this.#take(words)) words.again();
    }
  }

  #take(words: EarlyWords): boolean {
    const forget = this.#kept.get(words);
    if (forget === undefined) return false;
    forget();
    this.#kept.delete(words);
    this.#bytes -= words.bytes;
    if (![...this.#kept.keys()].some(({ task }) => task === words.task)) {
      this.#ofTask.get(words.task)?.();
      this.#ofTask.delete(words.task);
    }
    return true;
  }
}
