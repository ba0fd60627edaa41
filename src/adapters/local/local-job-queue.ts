import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/event-store.ts';
import {
  checkConcurrency,
  checkJob,
  keptReason,
  queueClosed,
  queueFull,
  triedTooOften,
} from '../../ports/job-checks.ts';
import type { DeadJob, JobDelivery, JobQueue, WorkOptions } from '../../ports/job-queue.ts';
import { reportError } from './report-error.ts';
import { systemClock } from './system-clock.ts';

/** Bounds of a queue, and what it is made of. */
export interface LocalJobQueueOptions {
  readonly clock?: Clock;
  /** Default `limits.queuedJobsMax`. */
  readonly jobsMax?: number;
  /** Default `limits.jobAckWaitMs`. */
  readonly ackWaitMs?: number;
  /** Default `limits.jobDeliveriesMax`. */
  readonly deliveriesMax?: number;
  /** Told what handlers throw; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** A job in the queue. */
interface Job {
  readonly id: string;
  readonly model: string;
  readonly body: Uint8Array;
  /** Its place: the lower goes first. */
  readonly place: number;
  attempts: number;
  /** Forgets what is to happen when its time is over; undefined where it waits for a worker. */
  forgetTimer: (() => void) | undefined;
}

/** Who does jobs of one model. */
interface Worker {
  readonly ready: WorkOptions['ready'];
  readonly handler: (job: JobDelivery) => void | Promise<void>;
  /** Hands that would take a job now. */
  open: number;
  readonly inHand: Set<Job>;
  readonly running: Set<Promise<void>>;
  isClosed: boolean;
}

/** The jobs of one model. */
interface Queue {
  /** Those that wait, in order of place. */
  readonly waiting: Job[];
  readonly jobs: Set<Job>;
  /** The one that has waited longest first; the next job goes to the first with a free hand. */
  readonly workers: Worker[];
  readonly dead: DeadJob[];
  /** When each id is forgotten, the oldest first. */
  readonly known: Map<string, number>;
}

/** A queue of jobs among the parts of one process; it ends with the process, as those who would do its jobs do. */
export function createLocalJobQueue(options: LocalJobQueueOptions = {}): JobQueue {
  return new LocalJobQueue(options);
}

class LocalJobQueue implements JobQueue {
  readonly #clock: Clock;
  readonly #jobsMax: number;
  readonly #ackWaitMs: number;
  readonly #deliveriesMax: number;
  readonly #onError: (error: unknown) => void;
  readonly #queues = new Map<string, Queue>();
  #places = 0;
  #isClosed = false;

  constructor(options: LocalJobQueueOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#jobsMax = options.jobsMax ?? limits.queuedJobsMax;
    this.#ackWaitMs = options.ackWaitMs ?? limits.jobAckWaitMs;
    this.#deliveriesMax = options.deliveriesMax ?? limits.jobDeliveriesMax;
    this.#onError = options.onError ?? reportError;
  }

  async publish(model: string, id: string, body: Uint8Array): Promise<'queued' | 'duplicate'> {
    checkJob(model, id, body);
    this.#requireOpen();
    const queue = this.#queueOf(model);
    const now = this.#clock.now();
    for (const [known, forgottenAt] of queue.known) {
      if (forgottenAt > now) break;
      queue.known.delete(known);
    }
    if (queue.known.has(id)) return 'duplicate';
    if (queue.jobs.size >= this.#jobsMax) throw queueFull(model, this.#jobsMax);
    this.#places += 1;
    const place = this.#places;
    const job = { id, model, body: Uint8Array.from(body), place, attempts: 0, forgetTimer: undefined };
    queue.known.set(id, now + limits.jobDuplicateWindowMs);
    queue.jobs.add(job);
    queue.waiting.push(job);
    this.#handOut(queue);
    return 'queued';
  }

  work(model: string, { concurrency, ready }: WorkOptions, handler: Worker['handler']): Subscription {
    checkConcurrency(concurrency);
    this.#requireOpen();
    const queue = this.#queueOf(model);
    const worker: Worker = { ready, handler, open: 0, inHand: new Set(), running: new Set(), isClosed: false };
    queue.workers.push(worker);
    queueMicrotask(() => {
      this.#open(queue, worker, concurrency);
      this.#handOut(queue);
    });
    return {
      close: async () => {
        worker.isClosed = true;
        const index = queue.workers.indexOf(worker);
        if (index >= 0) queue.workers.splice(index, 1);
        await Promise.all(worker.running);
      },
    };
  }

  async isUntouched(model: string, id: string): Promise<boolean> {
    return this.#queues.get(model)?.waiting.some((job) => job.id === id && job.attempts === 0) ?? false;
  }

  async size(model: string): Promise<number> {
    return this.#queues.get(model)?.jobs.size ?? 0;
  }

  async *dead(model: string): AsyncIterable<DeadJob> {
    yield* (this.#queues.get(model)?.dead ?? []).slice();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = [...this.#queues.values()].flatMap((queue) => queue.workers.splice(0));
    for (const worker of workers) worker.isClosed = true;
    for (const queue of this.#queues.values()) for (const { forgetTimer } of queue.jobs) forgetTimer?.();
    await Promise.all(workers.flatMap((worker) => [...worker.running]));
  }

  #handOut(queue: Queue): void {
    for (let job = queue.waiting[0]; job !== undefined; job = queue.waiting[0]) {
      const worker = queue.workers.find(({ open }) => open > 0);
      if (worker === undefined) return;
      queue.waiting.shift();
      queue.workers.push(...queue.workers.splice(queue.workers.indexOf(worker), 1));
      if (job.attempts >= this.#deliveriesMax) this.#bury(queue, job, triedTooOften(job.attempts));
      else this.#give(queue, job, worker);
    }
  }

  /** A hand is free of a job, and takes another once it may. @returns whether it had the job. */
  #letGo(queue: Queue, job: Job, worker: Worker): boolean {
    const wasInHand = worker.inHand.delete(job);
    if (wasInHand) this.#open(queue, worker, 1);
    return wasInHand;
  }

  /** Has hands of a worker take jobs, each as soon as the worker has a place for one. */
  #open(queue: Queue, worker: Worker, hands: number): void {
    const open = (): void => {
      worker.open += 1;
      this.#handOut(queue);
    };
    const { ready } = worker;
    for (let hand = 0; hand < hands && !worker.isClosed; hand += 1) {
      if (ready === undefined) {
        worker.open += 1;
        continue;
      }
      const waiting = ready()
        .then(open, this.#onError)
        .finally(() => worker.running.delete(waiting));
      worker.running.add(waiting);
    }
  }

  #give(queue: Queue, job: Job, worker: Worker): void {
    job.attempts += 1;
    worker.open -= 1;
    worker.inHand.add(job);
    const attempt = job.attempts;
    let isSettled = false;
    /** Once: takes the job out of this hand. @returns whether it is still this hand's. */
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      const isOurs = this.#letGo(queue, job, worker) && queue.jobs.has(job) && job.attempts === attempt;
      if (isOurs) job.forgetTimer?.();
      return isOurs;
    };
    const waitFor = (ms: number): void => {
      job.forgetTimer?.();
      job.forgetTimer = this.#clock.at(this.#clock.now() + ms, () => this.#putBack(queue, job, worker));
    };
    waitFor(this.#ackWaitMs);
    const delivery: JobDelivery = {
      id: job.id,
      model: job.model,
      body: job.body,
      attempt,
      ack: async () => {
        if (isSettled) return;
        settle();
        this.#forget(queue, job);
      },
      nak: async (delayMs = 0) => {
        if (!settle()) return;
        if (delayMs > 0) waitFor(delayMs);
        else this.#putBack(queue, job, worker);
        this.#handOut(queue);
      },
      working: async () => {
        if (!isSettled && worker.inHand.has(job) && job.attempts === attempt) waitFor(this.#ackWaitMs);
      },
      term: async (reason) => {
        if (settle()) this.#bury(queue, job, reason);
        this.#handOut(queue);
      },
    };
    const running = this.#run(worker, delivery).finally(() => worker.running.delete(running));
    worker.running.add(running);
  }

  async #run(worker: Worker, delivery: JobDelivery): Promise<void> {
    // The handler runs from the event loop, never inside the call that made the job.
    await Promise.resolve();
    try {
      if (worker.isClosed) await delivery.nak();
      else await worker.handler(delivery);
    } catch (error) {
      this.#onError(error);
      await delivery.nak();
    }
  }

  /** Its time is over, or its delay: it waits again at its old place. */
  #putBack(queue: Queue, job: Job, worker: Worker): void {
    this.#letGo(queue, job, worker);
    job.forgetTimer?.();
    job.forgetTimer = undefined;
    if (this.#isClosed || !queue.jobs.has(job)) return;
    const index = queue.waiting.findIndex(({ place }) => place > job.place);
    queue.waiting.splice(index < 0 ? queue.waiting.length : index, 0, job);
    this.#handOut(queue);
  }

  #forget(queue: Queue, job: Job): void {
    job.forgetTimer?.();
    queue.jobs.delete(job);
    const index = queue.waiting.indexOf(job);
    if (index >= 0) queue.waiting.splice(index, 1);
    for (const worker of queue.workers) this.#letGo(queue, job, worker);
    this.#handOut(queue);
  }

  #bury(queue: Queue, job: Job, reason: string): void {
    const { id, model, body, attempts } = job;
    queue.dead.push({ id, model, body, attempts, reason: keptReason(reason), at: this.#clock.now() });
    if (queue.dead.length > limits.deadJobsKept) queue.dead.shift();
    job.forgetTimer?.();
    queue.jobs.delete(job);
  }

  #queueOf(model: string): Queue {
    let queue = this.#queues.get(model);
    if (queue === undefined) {
      queue = { waiting: [], jobs: new Set(), workers: [], dead: [], known: new Map() };
      this.#queues.set(model, queue);
    }
    return queue;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw queueClosed();
  }
}
