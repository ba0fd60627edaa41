import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { CallName, Calls, LoadInput, LoadedModel, WorkerSettings } from './messages.ts';
import { type CallHandle, WorkerThread } from './worker-thread.ts';

/** How large a pool is. */
export interface PoolOptions {
  /** Threads. */
  readonly workers: number;
  /** Calls one thread interleaves. */
  readonly generationsPerWorker: number;
  /** Calls that may wait for a place. */
  readonly queueMax: number;
  readonly settings: WorkerSettings;
}

interface Slot {
  thread: WorkerThread;
  /** Calls that hold a place of this thread. */
  active: number;
  /** Whether its models are loaded, so that it may be given calls. */
  ready: boolean;
  /** Deaths since it last finished a call. */
  deaths: number;
}

interface Waiting {
  readonly start: (slot: Slot) => void;
  readonly refuse: (error: PouwError) => void;
}

/**
 * A fixed number of worker threads. Calls go to the thread with the fewest, each thread having a bounded
 * number of places; what finds none waits in a bounded queue, first come first served. A thread that dies
 * fails its own calls, and is replaced by one that loads the same models.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #slots: Slot[] = [];
  readonly #queue: Waiting[] = [];
  /** The models of every thread, in the order they were loaded. */
  readonly #models: LoadInput[] = [];
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let index = 0; index < options.workers; index++) this.#start(0, true);
  }

  /** Loads a model on every thread: on one first, so that files are fetched once and a bad model is known early. */
  async load(input: LoadInput, onProgress: (progress: Calls['load']['item']) => void): Promise<LoadedModel> {
    const first = this.#leastLoaded();
    if (first === undefined) throw this.#noThread();
    const loaded = await first.thread.call('load', input, onProgress).result;
    // From here on a replacement loads it too; threads that are ready now are told below.
    this.#models.push(input);
    const others = this.#slots.filter((slot) => slot !== first && slot.ready);
    try {
      await Promise.all(others.map((slot) => slot.thread.call('load', input).result));
    } catch (error) {
      this.#models.splice(this.#models.indexOf(input), 1);
      throw error;
    }
    return loaded;
  }

  /** A call that takes no place: it is short and must not wait behind generations. */
  async ask<Name extends 'count' | 'decode'>(name: Name, input: Calls[Name]['input']): Promise<Calls[Name]['result']> {
    const slot = this.#leastLoaded();
    if (slot === undefined) throw this.#noThread();
    return slot.thread.call(name, input).result;
  }

  /**
   * A call that takes a place. Once `signal` is aborted it is cancelled at its next step, or leaves the queue.
   *
   * @throws PouwError `inference_busy` where the queue is full; the signal's reason where it was still queued.
   */
  async run<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    signal: AbortSignal,
    onItem?: (item: Calls[Name]['item']) => void,
  ): Promise<Calls[Name]['result']> {
    const slot = await this.#place(signal);
    let handle: CallHandle<Name> | undefined;
    const cancel = (): void => handle?.cancel();
    try {
      handle = slot.thread.call(name, input, onItem);
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel, { once: true });
      const result = await handle.result;
      slot.deaths = 0;
      return result;
    } finally {
      signal.removeEventListener('abort', cancel);
      slot.active--;
      this.#drain();
    }
  }

  /** Calls that hold a place, and those that wait for one. */
  occupancy(): { readonly running: number; readonly waiting: number } {
    return { running: this.#slots.reduce((sum, slot) => sum + slot.active, 0), waiting: this.#queue.length };
  }

  /** Fails what is queued and running, and ends every thread. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.refuse(closedError());
    await Promise.all(this.#slots.map((slot) => slot.thread.close()));
  }

  #start(deaths: number, ready: boolean): void {
    const slot: Slot = {
      thread: new WorkerThread(this.#options.settings, () => this.#replace(slot)),
      active: 0,
      ready,
      deaths,
    };
    this.#slots.push(slot);
    if (!ready) void this.#prepare(slot);
  }

  #replace(dead: Slot): void {
    this.#slots.splice(this.#slots.indexOf(dead), 1);
    if (this.#closed) return;
    if (dead.deaths < limits.inferenceRestartsMax) this.#start(dead.deaths + 1, false);
    else if (this.#slots.length === 0) for (const waiting of this.#queue.splice(0)) waiting.refuse(this.#noThread());
  }

  /** Gives a replacement the models of the others. A failure is a death: the thread is ended, and `#replace` decides. */
  async #prepare(slot: Slot): Promise<void> {
    try {
      for (let index = 0; index < this.#models.length; index++) {
        await slot.thread.call('load', this.#models[index] as LoadInput).result;
      }
      slot.ready = true;
      this.#drain();
    } catch {
      await slot.thread.close();
    }
  }

  async #place(signal: AbortSignal): Promise<Slot> {
    if (this.#closed) throw closedError();
    signal.throwIfAborted();
    const free = this.#queue.length === 0 ? this.#freeSlot() : undefined;
    if (free !== undefined) {
      free.active++;
      return free;
    }
    if (this.#slots.length === 0) throw this.#noThread();
    if (this.#queue.length >= this.#options.queueMax) throw this.#busy();
    const { promise, resolve, reject } = Promise.withResolvers<Slot>();
    const waiting: Waiting = {
      start: (slot) => {
        signal.removeEventListener('abort', leave);
        resolve(slot);
      },
      refuse: (error) => {
        signal.removeEventListener('abort', leave);
        reject(error);
      },
    };
    const leave = (): void => {
      this.#queue.splice(this.#queue.indexOf(waiting), 1);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#queue.push(waiting);
    return promise;
  }

  #drain(): void {
    for (let slot = this.#freeSlot(); slot !== undefined && this.#queue.length > 0; slot = this.#freeSlot()) {
      slot.active++;
      this.#queue.shift()?.start(slot);
    }
  }

  #freeSlot(): Slot | undefined {
    const slot = this.#leastLoaded();
    return slot !== undefined && slot.active < this.#options.generationsPerWorker ? slot : undefined;
  }

  #leastLoaded(): Slot | undefined {
    let least: Slot | undefined;
    for (const slot of this.#slots) if (slot.ready && (least === undefined || slot.active < least.active)) least = slot;
    return least;
  }

  #busy(): PouwError {
    return new PouwError(
      'inference_busy',
      `All ${this.#options.workers * this.#options.generationsPerWorker} places are taken and ${this.#options.queueMax} requests wait.`,
      {
        class: 'busy',
        hint: 'Try again in a moment, or run more miners.',
        details: { retryable: true },
      },
    );
  }

  #noThread(): PouwError {
    if (this.#closed) return closedError();
    return new PouwError('inference_failed', 'No thread is left to run models.', {
      class: 'unavailable',
      why: `Each died ${limits.inferenceRestartsMax + 1} times without finishing anything, or is just being replaced.`,
      hint: 'Look at the errors before this one; a smaller model or dtype needs less memory.',
    });
  }
}

function closedError(): PouwError {
  return new PouwError('inference_failed', 'Inference was closed.', { class: 'unavailable', hint: 'Start it again.' });
}
