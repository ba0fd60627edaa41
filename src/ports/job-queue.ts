import type { Subscription } from './event-store.ts';

/** A job in the hand of a worker. Only the first of `ack`, `nak` and `term` counts. */
export interface JobDelivery {
  readonly id: string;
  readonly model: string;
  readonly body: Uint8Array;
  /** 1 the first time the job is handed out, then one more each. */
  readonly attempt: number;
  /** It is done; it leaves the queue, also where it was handed to another worker meanwhile. */
  ack(): Promise<void>;
  /** It cannot be done here and now: it is handed out again, to whoever is free, at the earliest after `delayMs`. */
  nak(delayMs?: number): Promise<void>;
  /** It is still being done: the time in which it must be settled begins again. */
  working(): Promise<void>;
  /** Nobody can do it: it leaves the queue and is kept among the dead, with the reason. */
  term(reason: string): Promise<void>;
}

/** How a worker takes jobs. */
export interface WorkOptions {
  /** Unsettled jobs it has at most. */
  readonly concurrency: number;
  /** Waited for before each job is taken: who has no place for one leaves it to others. */
  readonly ready?: () => Promise<void>;
}

/** A job that nobody could do. */
export interface DeadJob {
  readonly id: string;
  readonly model: string;
  readonly body: Uint8Array;
  /** What the body was before it was cut to `limits.jobBytesMax`: somebody put more than a job into the queue. */
  readonly cut?: { readonly bytes: number; readonly sha256: string };
  /** How often it was handed out. */
  readonly attempts: number;
  readonly reason: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Jobs that wait for whoever serves their model: first come, first served, each in one hand at a time. A job that was
 * handed out and not settled in time is handed out again, a bounded number of times; so it may be done twice, and
 * whoever takes its result must know it by its id. `test/features/job-queue.features.ts` is its contract.
 */
export interface JobQueue {
  /**
   * Puts a job at the end of its model's queue; it is kept when the promise resolves.
   *
   * @returns `duplicate` where a job of this model and id was published within the last
   *   `limits.jobDuplicateWindowMs`: nothing was added then.
   * @throws PouwError `queue_full` at `limits.queuedJobsMax` jobs of the model, `job_too_large`.
   */
  publish(model: string, id: string, body: Uint8Array): Promise<'queued' | 'duplicate'>;
  /**
   * Hands the jobs of a model to a handler, at most `concurrency` unsettled ones at a time. A handler that throws has
   * its job handed out again; one that returns without settling it keeps it until its time is over. Closing resolves
   * when no handler runs any more and `ready` has resolved; jobs it has not settled are handed out again when their time is over.
   */
  work(model: string, options: WorkOptions, handler: (job: JobDelivery) => void | Promise<void>): Subscription;
  /**
   * Whether a job that was published here still waits for its first worker; false for one that was handed out, is done or
   * dead, or is not remembered. What is said may be a moment old.
   */
  isUntouched(model: string, id: string): Promise<boolean>;
  /** Jobs of a model in the queue, those in hand included. */
  size(model: string): Promise<number>;
  /** The dead jobs of a model, the oldest first. */
  dead(model: string): AsyncIterable<DeadJob>;
  close(): Promise<void>;
}
