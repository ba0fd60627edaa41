import type { Effect } from '../core/effect.ts';
import { type EffectId, effectId, type StreamId } from '../core/ids.ts';
import { errorCode } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { EffectJournal } from '../ports/effect-journal.ts';
import type { EffectHandler } from './actor.ts';
import { NotYet } from './not-yet.ts';

/** Bounds and hooks of an {@link EffectRunner}. */
export interface EffectRunnerOptions {
  readonly clock: Clock;
  readonly journal: EffectJournal;
  /** One handler per effect kind. */
  readonly handlers: Readonly<Record<string, EffectHandler>>;
  /** Effects that may run at a time. */
  readonly concurrency: number;
  /** The first pause after a failure; it doubles up to `backoffMaxMs`. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Told about every failed attempt. */
  readonly onFailure: (failure: EffectFailure) => void;
}

/** One attempt that did not succeed. */
export interface EffectFailure {
  readonly id: EffectId;
  readonly kind: string;
  readonly attempt: number;
  readonly code: string;
  readonly error: unknown;
  readonly retryInMs: number;
  /** The task the effect is for, where it is for one. */
  readonly task?: string;
}

interface Job {
  readonly stream: StreamId;
  readonly version: number;
  readonly id: EffectId;
  readonly effect: Effect;
  attempt: number;
}

/** How long aborted effects may take to end. */
const abortPatienceMs = 2_000;

/** What is still to be done for one stream. */
interface StreamWork {
  /** Undone effects per version. */
  readonly open: Map<number, Set<EffectId>>;
  /** The newest version handed to the runner. */
  newest: number;
}

/**
 * Carries effects out after their commit is stored: at least once, many at a time, each under its own id,
 * again and again until its handler succeeds. What is done is marked in the journal, so that a restart
 * begins where this process stopped.
 */
export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  readonly #waiting: Job[] = [];
  readonly #work = new Map<StreamId, StreamWork>();
  readonly #stop = new AbortController();
  readonly #idleWaiters: (() => void)[] = [];
  #running = 0;
  #backedOff = 0;

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
  }

  /** Takes the effects of a commit; those in `done` were carried out before a restart. */
  take(stream: StreamId, version: number, effects: readonly Effect[], done?: ReadonlySet<EffectId>): void {
    const work = this.#workOf(stream);
    work.newest = Math.max(work.newest, version);
    effects.forEach((effect, index) => {
      const id = effectId(stream, version, index);
      if (done?.has(id)) return;
      const open = work.open.get(version);
      if (open === undefined) work.open.set(version, new Set([id]));
      else open.add(id);
      this.#waiting.push({ stream, version, id, effect, attempt: 0 });
    });
    this.#pump();
  }

  /** Whether a stream has effects that are not done. */
  hasWork(stream: StreamId): boolean {
    return (this.#work.get(stream)?.open.size ?? 0) > 0;
  }

  /** The version up to which all effects of a stream are done, as far as this process has seen it. */
  watermark(stream: StreamId): number {
    const work = this.#work.get(stream);
    if (work === undefined) return 0;
    return work.open.size === 0 ? work.newest : Math.min(...work.open.keys()) - 1;
  }

  /** Lets go of a stream that another node owns now: what waits is not begun, what runs is not tried again. */
  abandon(stream: StreamId): void {
    const kept = this.#waiting.filter((job) => job.stream !== stream);
    this.#waiting.splice(0, this.#waiting.length, ...kept);
    this.#work.delete(stream);
    this.#pump();
  }

  /** Forgets a stream without work. */
  forget(stream: StreamId): void {
    if (!this.hasWork(stream)) this.#work.delete(stream);
  }

  /** Resolves when nothing runs or waits to run; effects that are backed off do not count. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** How much is in hand: running, waiting to run, waiting for another attempt. */
  load(): { running: number; waiting: number; backedOff: number } {
    return { running: this.#running, waiting: this.#waiting.length, backedOff: this.#backedOff };
  }

  /** Takes nothing new, waits up to `graceMs` for what runs, then aborts it. */
  async stop(graceMs: number): Promise<void> {
    this.#waiting.length = 0;
    if (graceMs > 0) {
      const grace = new AbortController();
      await Promise.race([this.idle(), this.#options.clock.sleep(graceMs, grace.signal).catch(() => undefined)]);
      grace.abort();
    }
    this.#stop.abort(new Error('the host stops'));
    // A handler that does not hear the signal must not keep the process: its effect runs again at the next start.
    const patience = new AbortController();
    await Promise.race([this.idle(), this.#afterAbort(patience.signal)]);
    patience.abort();
  }

  /** A few turns of the clock, or forever where the clock stands still: then only {@link idle} ends the wait. */
  async #afterAbort(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(abortPatienceMs, signal).catch(() => undefined);
  }

  #workOf(stream: StreamId): StreamWork {
    let work = this.#work.get(stream);
    if (work === undefined) {
      work = { open: new Map(), newest: 0 };
      this.#work.set(stream, work);
    }
    return work;
  }

  #pump(): void {
    while (this.#running < this.#options.concurrency && !this.#stop.signal.aborted) {
      const job = this.#waiting.shift();
      if (job === undefined) break;
      this.#running += 1;
      void this.#run(job);
    }
    if (this.#running === 0 && this.#waiting.length === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
  }

  async #run(job: Job): Promise<void> {
    try {
      const handler = this.#options.handlers[job.effect.kind];
      if (handler === undefined) throw new Error(`no handler for effects of kind ${job.effect.kind}`);
      await handler(job.effect, { id: job.id, stream: job.stream, signal: this.#stop.signal });
      await this.#done(job);
    } catch (error) {
      this.#failed(job, error);
    } finally {
      this.#running -= 1;
      this.#pump();
    }
  }

  async #done(job: Job): Promise<void> {
    const work = this.#work.get(job.stream);
    if (work === undefined || !this.#isOpen(job)) return;
    const open = work.open.get(job.version);
    const others = [...work.open.keys()].filter((version) => version !== job.version || (open?.size ?? 0) > 1);
    const watermark = others.length === 0 ? work.newest : Math.min(...others) - 1;
    // The journal first: should it fail, the effect still counts as open and is carried out again.
    if (watermark >= job.version) await this.#options.journal.advance(job.stream, watermark);
    else await this.#options.journal.markDone(job.id);
    open?.delete(job.id);
    if (open?.size === 0) work.open.delete(job.version);
  }

  /** Whether an effect is still this runner's to do: its stream may have been abandoned meanwhile. */
  #isOpen({ stream, version, id }: Job): boolean {
    return this.#work.get(stream)?.open.get(version)?.has(id) ?? false;
  }

  #failed(job: Job, error: unknown): void {
    if (this.#stop.signal.aborted || !this.#isOpen(job)) return;
    job.attempt += 1;
    const { backoffMs, backoffMaxMs, clock } = this.#options;
    const retryInMs = Math.min(backoffMs * 2 ** (job.attempt - 1), backoffMaxMs);
    const { kind, task } = job.effect;
    const failure = {
      id: job.id,
      kind,
      attempt: job.attempt,
      code: errorCode(error),
      error,
      retryInMs,
      ...(typeof task === 'string' ? { task } : {}),
    };
    if (!(error instanceof NotYet)) this.#options.onFailure(failure);
    this.#backedOff += 1;
    const again = (): void => {
      this.#backedOff -= 1;
      if (this.#stop.signal.aborted || !this.#isOpen(job)) return;
      this.#waiting.push(job);
      this.#pump();
    };
    void clock.sleep(retryInMs, this.#stop.signal).then(again, () => {
      this.#backedOff -= 1;
    });
  }
}
