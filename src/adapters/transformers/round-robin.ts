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
  readonly #jobs: Job[] = [];
  #running = false;

  /** Adds a job; it takes its turn after those that are there. */
  add(job: Job): void {
    this.#jobs.push(job);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      if (!(await job.step())) this.#jobs.push(job);
    }
    this.#running = false;
  }
}
