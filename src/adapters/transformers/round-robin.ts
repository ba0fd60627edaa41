import type { PassGate } from './pass-gate.ts';

/** Work that is done in small steps, each blocking the thread for one forward pass at most. */
export interface Job {
  /** Does the next step; true when it was the last. Must not reject: a job reports its own errors. */
  step(): Promise<boolean>;
}

/**
 * Runs jobs on one thread, a step of each in turn, so that the first token of the newest generation waits
 * for one token of each other one and not for whole answers.
 */
export class RoundRobin {
  readonly #gate: PassGate;
  readonly #jobs: Job[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(gate: PassGate) {
    this.#gate = gate;
  }

  /** Adds a job; it takes its turn after those that are there. */
  add(job: Job): void {
    if (this.#stopped) return;
    this.#jobs.push(job);
    this.#running ??= this.#run();
  }

  /** Drops all jobs; resolves when the step under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#jobs.length = 0;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      const current = job;
      const finished = await this.#gate.through(() => current.step());
      if (!finished && !this.#stopped) this.#jobs.push(job);
    }
    this.#running = undefined;
  }
}
