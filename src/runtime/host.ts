import { type Commit, isStale, sealCommit } from '../core/commit.ts';
import { PouwError } from '../core/errors.ts';
import type { Folded } from '../core/fold.ts';
import { hashJson } from '../core/hash.ts';
import { effectId, type StreamId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { ActorDefinition, ActorHost, DispatchResult } from './actor.ts';
import { EffectRunner } from './effect-runner.ts';
import { type FoldedEvents, foldEvents } from './fold-events.ts';
import type { HostOptions } from './host-options.ts';
import { loadActor } from './load-actor.ts';
import { notOwner, outOfStep } from './refusals.ts';
import { TimerWheel } from './timer-wheel.ts';

interface Live {
  readonly actor: ActorDefinition<unknown, unknown>;
  state: Folded<unknown>;
  version: number;
  hash: string;
  /** The highest fence of the stream's commits. */
  fence: number;
  /** An append ended without an answer: the log must be read again before the next decision. */
  isUncertain: boolean;
  snapshotVersion: number;
  /** Commands waiting or under way. */
  pending: number;
  /** The last command's end: the next one begins after it. */
  tail: Promise<unknown>;
}

/** How long a timer that changed nothing waits before it is tried again. */
const idleTimerRetryMs = 250;

/**
 * Runs actors: loads their streams, serialises their commands, decides, appends with compare-and-swap,
 * folds, and hands the effects to the runner. A rival's commit makes it load and decide again.
 */
export class Host implements ActorHost {
  readonly #options: HostOptions;
  readonly #live = new Map<StreamId, Promise<Live>>();
  readonly #runner: EffectRunner;
  readonly #timers: TimerWheel;
  readonly #byKind: ReadonlyMap<string, ActorDefinition<unknown, unknown>>;
  #stopped = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#byKind = new Map(options.actors.map((actor) => [actor.kind, actor as ActorDefinition<unknown, unknown>]));
    this.#runner = new EffectRunner({
      clock: options.clock,
      journal: options.journal,
      handlers: options.handlers,
      concurrency: options.effectConcurrency ?? 256,
      backoffMs: options.effectBackoffMs ?? 200,
      backoffMaxMs: 2_000,
      onFailure: (failure) => options.onFailure?.(failure),
    });
    this.#timers = new TimerWheel(options.clock, (stream) => void this.#fireTimers(stream));
  }

  async dispatch<Context, Command>(
    actor: ActorDefinition<Context, Command>,
    stream: StreamId,
    command: Command,
    cause: string,
  ): Promise<DispatchResult<Context>> {
    this.#assertRunning();
    const live = await this.#current(actor, stream);
    if (live.pending >= limits.actorMailboxMax) {
      throw new PouwError('actor_busy', `${stream} has ${live.pending} commands waiting.`, {
        class: 'busy',
        hint: 'Try again shortly.',
      });
    }
    live.pending += 1;
    const result = live.tail.then(() => this.#carryOut(stream, live, command, cause));
    live.tail = result.catch(() => undefined);
    try {
      return (await result) as DispatchResult<Context>;
    } finally {
      live.pending -= 1;
    }
  }

  async state<Context, Command>(
    actor: ActorDefinition<Context, Command>,
    stream: StreamId,
  ): Promise<{ state: Folded<Context>; version: number }> {
    const live = await this.#load(actor, stream);
    return { state: live.state as Folded<Context>, version: live.version };
  }

  async wake(streams: readonly StreamId[]): Promise<void> {
    for (const stream of streams) {
      const actor = this.#byKind.get(stream.slice(0, stream.indexOf('.')));
      if (actor !== undefined) await this.#load(actor, stream);
    }
  }

  async release(streams: readonly StreamId[]): Promise<void> {
    for (const stream of streams) {
      this.#runner.abandon(stream);
      this.#timers.set(stream, undefined);
      const loading = this.#live.get(stream);
      this.#live.delete(stream);
      await (
        await loading?.catch(() => undefined)
      )?.tail;
      this.#runner.abandon(stream);
      this.#timers.set(stream, undefined);
    }
  }

  idle(): Promise<void> {
    return this.#runner.idle();
  }

  /** How many actors are in memory and how much is in hand, for metrics. */
  load(): { actors: number; running: number; waiting: number; backedOff: number } {
    return { actors: this.#live.size, ...this.#runner.load() };
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#timers.clear();
    await this.#runner.stop(graceMs);
    this.#stopped = true;
    this.#timers.close();
    for (const [stream, loading] of this.#live) {
      const live = await loading.catch(() => undefined);
      await live?.tail;
      if (live !== undefined) await this.#snapshot(stream, live, 1);
    }
    this.#live.clear();
  }

  /** The actor in memory; one that is evicted while it is waited for is loaded again. */
  async #current(actor: ActorDefinition<unknown, unknown>, stream: StreamId): Promise<Live> {
    for (;;) {
      const loading = this.#load(actor, stream);
      const live = await loading;
      if (this.#live.get(stream) === loading) return live;
    }
  }

  #assertRunning(): void {
    if (this.#stopped)
      throw new PouwError('host_stopped', 'The node is stopping and takes no new commands.', { class: 'unavailable' });
  }

  #load(actor: ActorDefinition<unknown, unknown>, stream: StreamId): Promise<Live> {
    const known = this.#live.get(stream);
    if (known !== undefined) {
      // Moves the stream to the young end of the map: eviction takes from the old end.
      this.#live.delete(stream);
      this.#live.set(stream, known);
      return known;
    }
    const loading = this.#loadFresh(actor, stream);
    this.#live.set(stream, loading);
    loading.catch(() => this.#live.delete(stream));
    this.#evictBeyond(this.#options.actorsMax ?? limits.hostActorsMax);
    return loading;
  }

  async #loadFresh(actor: ActorDefinition<unknown, unknown>, stream: StreamId): Promise<Live> {
    // The effects of a stream are its owner's to carry out: another node must not even load it.
    this.#options.fenceOf?.(stream);
    const loaded = await loadActor(this.#options, actor, stream);
    this.#options.fenceOf?.(stream);
    const { state, version, hash, fence, snapshotVersion } = loaded;
    if (!this.#runner.hasWork(stream)) {
      for (const { version: of, effects } of loaded.undone) this.#runner.take(stream, of, effects, loaded.doneIds);
    }
    this.#runner.take(stream, version, []);
    this.#arm(stream, actor, state);
    const idle = { isUncertain: false, pending: 0, tail: Promise.resolve() };
    return { actor, state, version, hash, fence, snapshotVersion, ...idle };
  }

  #evictBeyond(most: number): void {
    if (this.#live.size <= most) return;
    for (const [stream, loading] of this.#live) {
      if (this.#live.size <= most) return;
      if (this.#runner.hasWork(stream)) continue;
      const evict = loading.then(async (live) => {
        if (live.pending > 0 || this.#live.get(stream) !== loading) return;
        this.#live.delete(stream);
        await this.#snapshot(stream, live, 1);
        this.#runner.forget(stream);
      });
      evict.catch((error: unknown) => this.#report(stream, 'eviction', 'eviction_failed', error));
      // One candidate at a time keeps a burst of loads from evicting everything at once.
      return;
    }
  }

  async #carryOut(stream: StreamId, live: Live, command: unknown, cause: string): Promise<DispatchResult<unknown>> {
    for (let attempt = 0; attempt <= limits.conflictRetriesMax; attempt += 1) {
      this.#assertRunning();
      if (live.isUncertain) await this.#reload(stream, live);
      const fence = this.#fence(stream, live);
      const env = { now: this.#options.clock.now(), random: this.#options.random.bytes32() };
      const decision = live.actor.decide(live.state, command, env);
      if (!decision.ok) return decision;
      if (decision.events.length === 0) return { ok: true, version: live.version, events: [], state: live.state };
      const folded = foldEvents(live.actor.fold, live.state, decision.events);
      if ('refused' in folded) return outOfStep(stream, live.state.value, folded.refused);
      const commit = sealCommit(
        {
          stream,
          version: live.version + 1,
          at: env.now,
          author: this.#options.author,
          cause,
          events: decision.events,
          prev: live.hash,
          ...(fence === null ? {} : { fence }),
        },
        this.#options.signer,
      );
      live.isUncertain = true;
      const appended = await this.#options.store.append(commit);
      live.isUncertain = false;
      if (appended.outcome === 'conflict') {
        await this.#reload(stream, live);
        continue;
      }
      this.#commit(stream, live, commit, folded);
      return { ok: true, version: live.version, events: decision.events, state: live.state };
    }
    throw new PouwError(
      'too_many_conflicts',
      `${stream} was written by others ${limits.conflictRetriesMax} times in a row.`,
      { class: 'conflict' },
    );
  }

  /** The fence of the next commit. A stream that shows a higher one has another owner, whatever the lease said. */
  #fence(stream: StreamId, { fence: highest }: Live): number | null {
    const fence = this.#options.fenceOf?.(stream) ?? null;
    if (fence !== null && isStale(fence, highest)) throw notOwner(stream);
    return fence;
  }

  #commit(stream: StreamId, live: Live, commit: Commit, folded: FoldedEvents): void {
    live.state = folded.state;
    live.version = commit.version;
    live.hash = commit.hash;
    live.fence = Math.max(live.fence, commit.fence ?? 0);
    this.#runner.take(stream, commit.version, folded.effects);
    this.#arm(stream, live.actor, live.state);
    this.#options.onCommit?.(commit, live.state);
    this.#snapshot(stream, live, this.#options.snapshotEvery ?? 200).catch((error: unknown) =>
      this.#report(stream, 'snapshot', 'snapshot_failed', error),
    );
  }

  /** Takes what the log has now, with the effects of commits that this host had not seen stored. */
  async #reload(stream: StreamId, live: Live): Promise<void> {
    const loaded = await loadActor(this.#options, live.actor, stream);
    const news = loaded.undone.filter(({ version }) => version > live.version);
    live.state = loaded.state;
    live.version = loaded.version;
    live.hash = loaded.hash;
    live.fence = loaded.fence;
    live.isUncertain = false;
    this.#fence(stream, live);
    for (const { version, effects } of news) this.#runner.take(stream, version, effects, loaded.doneIds);
    this.#arm(stream, live.actor, live.state);
  }

  /** Saves a snapshot when enough has happened since the last one and every effect before it is done. */
  async #snapshot(stream: StreamId, live: Live, every: number): Promise<void> {
    const { state, version, hash } = live;
    if (version - live.snapshotVersion < every || this.#runner.watermark(stream) < version) return;
    live.snapshotVersion = version;
    await this.#options.journal.advance(stream, version);
    await this.#options.snapshots.save({
      stream,
      version,
      commitHash: hash,
      machineVersion: live.actor.machineVersion,
      stateHash: hashJson(state),
      state,
    });
  }

  #arm(stream: StreamId, actor: ActorDefinition<unknown, unknown>, state: Folded<unknown>, notBefore = 0): void {
    const timers = actor.timers(state);
    const earliest = timers.reduce((least, timer) => Math.min(least, timer.at), Number.POSITIVE_INFINITY);
    this.#timers.set(stream, Number.isFinite(earliest) ? Math.max(earliest, notBefore) : undefined);
  }

  async #fireTimers(stream: StreamId): Promise<void> {
    const actor = this.#byKind.get(stream.slice(0, stream.indexOf('.')));
    if (actor === undefined || this.#stopped) return;
    try {
      const now = this.#options.clock.now();
      const { state } = await this.state(actor, stream);
      for (const timer of actor.timers(state)) {
        if (timer.at <= now) await this.dispatch(actor, stream, actor.timerCommand(timer), `timer:${timer.id}`);
      }
    } catch (error) {
      this.#report(stream, 'timer', 'timer_failed', error);
    }
    try {
      if (this.#stopped) return;
      const { state } = await this.state(actor, stream);
      this.#arm(stream, actor, state, this.#options.clock.now() + idleTimerRetryMs);
    } catch (error) {
      this.#report(stream, 'timer', 'timer_failed', error);
    }
  }

  /** Failures nobody waits for: told, never thrown. */
  #report(stream: StreamId, kind: string, code: string, error: unknown): void {
    this.#options.onFailure?.({ id: effectId(stream, 0, 0), kind, attempt: 1, code, error, retryInMs: 0 });
  }
}
