import { errorCode, PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Readiness } from '../ports/probes.ts';

/** Looks whether something a process needs is there; throws where it is not. */
export type ReadinessCheck = (signal: AbortSignal) => unknown;

/** Named checks of what a process needs. */
export class ReadinessChecks {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #checks = new Map<string, ReadinessCheck>();
  /** What each check said last, to tell the log of changes only. */
  readonly #last = new Map<string, string>();
  #running: Promise<Readiness> | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Adds a check; one of the same name is replaced. */
  add(name: string, check: ReadinessCheck): void {
    this.#checks.set(name, check);
  }

  /** Takes a check away: what it looked at is not needed any more. */
  remove(name: string): void {
    this.#checks.delete(name);
  }

  /** Runs every check, side by side; who asks meanwhile gets the same answer. */
  report(): Promise<Readiness> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<Readiness> {
    const entries = [...this.#checks].map(async ([name, check]) => [name, await this.#runOne(name, check)] as const);
    const checks = Object.fromEntries(await Promise.all(entries));
    return { ready: Object.values(checks).every((state) => state === 'ok'), checks };
  }

  async #runOne(name: string, check: ReadinessCheck): Promise<string> {
    const giveUp = new AbortController();
    const late = this.#clock.sleep(limits.readinessCheckMsMax, giveUp.signal).then(() => {
      throw new PouwError('check_timeout', `The check ${name} took longer than ${limits.readinessCheckMsMax} ms.`, {
        class: 'timeout',
      });
    });
    late.catch(() => undefined);
    let state = 'ok';
    let failure: unknown;
    try {
      await Promise.race([Promise.resolve().then(() => check(giveUp.signal)), late]);
    } catch (error) {
      failure = error;
      state = errorCode(error);
    } finally {
      giveUp.abort(new PouwError('check_ended', 'The check is over.', { class: 'unavailable' }));
    }
    this.#tell(name, state, failure);
    return state;
  }

  #tell(name: string, state: string, failure: unknown): void {
    if ((this.#last.get(name) ?? 'ok') !== state) {
      const error = failure instanceof Error ? failure.message : undefined;
      if (state === 'ok') this.#log.info('what was missing is there again', { check: name });
      else this.#log.warn('something the process needs is missing', { check: name, code: state, error });
    }
    this.#last.set(name, state);
  }
}
