import type { MinerEvent } from '../../actors/miner/events.ts';
import type { SessionContext } from '../../actors/session/context.ts';
import { taskOf } from '../../actors/session/tasks.ts';
import type { SessionEvent } from '../../actors/session/events.ts';
import type { Commit, Event } from '../core/commit.ts';
import { errorMessage } from '../core/errors.ts';
import type { Folded } from '../core/fold.ts';
import type { Address, EffectId, StreamId, TaskId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { effectSpanOf, jobSpanOf, rootSpanOf, type SpanId, spanOfCause, submissionSpanOf } from '../core/trace-ids.ts';
import type { NodeWatch, NodeWatcher } from '../nodes/node-watch.ts';
import type { NodeIdentity } from '../nodes/ports.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { SpanActor, Tracer } from '../ports/tracer.ts';
import { Recent } from '../core/recent.ts';
import { submittedAt } from './submitted-at.ts';

/** What tracing nodes needs. */
export interface TracedNodesOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the cause of an effect is read that was asked for before this process began. */
  readonly store: Pick<EventStore, 'read'>;
}

/** Traces what nodes do for tasks: the task itself, its submission, jobs, effects. */
export function traceNodes(options: TracedNodesOptions): NodeWatch {
  return { begin: (identity) => new TracedNode(options, identity) };
}

/** Where an effect's first attempt began and how many there were. */
interface Attempts {
  readonly startMs: number;
  readonly count: number;
}

class TracedNode implements NodeWatcher {
  readonly #options: TracedNodesOptions;
  readonly #actor: Required<SpanActor>;
  /** The newest commits of this node, by stream and version. */
  readonly #commits = new Recent<string, Pick<Commit, 'cause' | 'events'>>(limits.watchMemoryMax);
  /** When the requests for tasks began that came through this process: a moment before the tasks. */
  readonly #begun = new Recent<TaskId, number>(limits.watchMemoryMax);
  /** Effects whose parent is being looked up. */
  readonly #unnoted = new Set<Promise<void>>();
  readonly #attempts = new Recent<EffectId, Attempts>(limits.watchMemoryMax);
  readonly #jobs = new Recent<SpanId, { readonly startMs: number; readonly parent: SpanId }>(limits.watchMemoryMax);

  constructor(options: TracedNodesOptions, { role, address }: NodeIdentity) {
    this.#options = options;
    this.#actor = { role, node: address };
  }

  command: NodeWatcher['command'] = async (_stream, _command, cause, run) => {
    const { tracer, clock } = this.#options;
    const startMs = clock.now();
    const result = await run();
    if (!result.ok) return result;
    for (const event of result.events as readonly (SessionEvent | Event)[]) {
      if (event.type !== 'TaskSubmitted') continue;
      const { task, seen } = event as Extract<SessionEvent, { type: 'TaskSubmitted' }>;
      const asked = seen === null ? tracer.active() : undefined;
      asked?.onTask?.(task);
      if (asked?.startMs !== undefined) this.#begun.set(task, asked.startMs);
      tracer.record({
        ...this.#actor,
        task,
        id: submissionSpanOf(task),
        parent: asked?.id ?? spanOfCause(cause, task),
        name: 'submit',
        kind: 'internal',
        startMs,
        endMs: clock.now(),
      });
    }
    return result;
  };

  effect: NodeWatcher['effect'] = async (effect, { id, stream }, run) => {
    const { task } = effect;
    if (typeof task !== 'string') return run();
    const { tracer, clock } = this.#options;
    const before = this.#attempts.get(id);
    const { startMs, count } = { startMs: before?.startMs ?? clock.now(), count: (before?.count ?? 0) + 1 };
    const span = effectSpanOf(id);
    try {
      await tracer.within({ ...this.#actor, id: span, task: task as TaskId }, run);
    } catch (error) {
      this.#attempts.set(id, { startMs, count });
      throw error;
    }
    this.#attempts.take(id);
    const endMs = clock.now();
    const attributes = { 'pouw.effect.id': id, 'pouw.effect.attempts': count };
    const record = (parent: SpanId): void =>
      tracer.record({
        ...this.#actor,
        task: task as TaskId,
        id: span,
        parent,
        name: `effect ${effect.kind}`,
        kind: 'internal',
        startMs,
        endMs,
        attributes,
      });
    // The effect is done: it does not wait for its span.
    const noted = this.#parentOf(id, stream, task as TaskId).then(record, (error: unknown) => {
      this.#options.log.warn('an effect was not traced', { id, task, error: errorMessage(error) });
    });
    this.#unnoted.add(noted);
    void noted.finally(() => this.#unnoted.delete(noted));
  };

  committed: NodeWatcher['committed'] = (commit, state) => {
    const { stream, version, cause, events } = commit;
    this.#commits.set(`${stream}:${version}`, { cause, events });
    if (stream.startsWith('session.')) this.#traceTaskEnds(commit, state as Folded<SessionContext>);
    else if (stream.startsWith('miner.')) this.#traceJobs(commit);
  };

  failed: NodeWatcher['failed'] = () => {};
  dropped: NodeWatcher['dropped'] = () => {};
  end: NodeWatcher['end'] = async () => void (await Promise.all(this.#unnoted));

  /** The span that led to an effect: the submission or job that its commit is about, else what caused the commit. */
  async #parentOf(id: EffectId, stream: StreamId, task: TaskId): Promise<SpanId> {
    const version = Number(id.slice(stream.length + 1).split(':', 1)[0]);
    const commit = this.#commits.get(`${stream}:${version}`) ?? (await this.#readCommit(stream, version));
    if (commit === undefined) return rootSpanOf(task);
    for (const event of commit.events as readonly (SessionEvent | MinerEvent)[]) {
      if (event.type === 'TaskSubmitted' && event.task === task) return submissionSpanOf(task);
      if (event.type === 'JobReceived' && event.task === task) return jobSpanOf(task, event.attempt, event.miner);
    }
    return spanOfCause(commit.cause, task);
  }

  async #readCommit(stream: StreamId, version: number): Promise<Commit | undefined> {
    const range = { fromVersion: version, toVersion: version };
    for await (const { commit } of this.#options.store.read(stream, range)) return commit;
    return undefined;
  }

  #traceTaskEnds({ events, at }: Commit, { context }: Folded<SessionContext>): void {
    for (const event of events as readonly SessionEvent[]) {
      if (event.type !== 'TaskSettled' && event.type !== 'TaskRefunded') continue;
      const { task } = event;
      const kept = taskOf(context, task)?.context;
      const failure = kept?.failure?.code;
      this.#options.tracer.record({
        ...this.#actor,
        task,
        id: rootSpanOf(task),
        name: 'task',
        kind: 'internal',
        startMs: Math.min(this.#begun.take(task) ?? at, submittedAt(context, task) ?? at, at),
        endMs: at,
        attributes: {
          'pouw.task': task,
          'pouw.session': context.session ?? '',
          'pouw.model': kept?.model ?? '',
          'pouw.outcome': event.type === 'TaskSettled' ? 'settled' : 'refunded',
          'pouw.price_wei': event.type === 'TaskSettled' ? event.priceWei : '0',
        },
        ...(event.type === 'TaskRefunded' ? { error: failure ?? event.reason } : {}),
      });
    }
  }

  #traceJobs({ events, at, cause }: Commit): void {
    for (const event of events as readonly MinerEvent[]) {
      if (!('task' in event)) continue;
      const id = jobSpanOf(event.task, event.attempt, this.#actor.node as Address);
      if (event.type === 'JobReceived') this.#jobs.set(id, { startMs: at, parent: spanOfCause(cause, event.task) });
      if (event.type === 'JobDone' || event.type === 'JobCancelled' || event.type === 'JobFailed') {
        // A job of before a restart began at a time that nobody remembers.
        const begun = this.#jobs.take(id) ?? { startMs: at, parent: rootSpanOf(event.task) };
        this.#options.tracer.record({
          ...this.#actor,
          task: event.task,
          id,
          ...begun,
          name: 'job',
          kind: 'internal',
          endMs: at,
          attributes: { 'pouw.attempt': event.attempt },
          ...(event.type === 'JobDone' ? {} : { error: event.code }),
        });
      }
    }
  }
}
