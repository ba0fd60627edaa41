import type { SessionEvent } from '../../actors/session/events.ts';
import type { TaskSubmitted } from '../../actors/task/events.ts';
import type { PlanPlace } from '../../actors/task/steps.ts';
import type { Hex } from '../core/hash.ts';
import { routersOf } from '../core/author-rules.ts';
import type { Address, Cid, SessionId, TaskId } from '../core/ids.ts';
import { parseStreamId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { eventsOf } from '../core/stored-events.ts';
import type { EventStore, StoredCommit, Subscription } from '../ports/event-store.ts';
import { readIntact } from './intact-log.ts';

/** Where a task is in the log. */
export interface IndexedTask {
  readonly session: SessionId;
  /** The version of the session's stream that began it. */
  startedVersion: number;
  /** The version of the session's stream that ended it; undefined while it runs. */
  endedVersion?: number;
  /** What it was asked for by, while it runs; a router may have signed nonsense here. */
  prompt?: Cid;
}

/** Told of each commit of a session that is taken. */
export type IndexListener = (session: SessionId, version: number, events: readonly SessionEvent[]) => void;

/** Where a plan is in the log. */
export interface IndexedPlan {
  readonly session: SessionId;
  /** Its steps in the order of the plan. */
  readonly steps: readonly { readonly name: string; readonly task: TaskId }[];
}

/** Whether what a router wrote is a place in a plan: it may have signed nonsense. */
function isPlace(plan: PlanPlace | undefined): plan is PlanPlace {
  const place: unknown = plan?.place;
  return typeof place === 'number' && Number.isInteger(place) && place >= 0 && place < limits.planStepsMax;
}

/** What is remembered of a session. */
interface IndexedSession {
  readonly routers: readonly Address[];
  /** Hashes of the keys that open it. */
  readonly keys: Set<string>;
  /** Ids of its tasks, oldest first; forgotten ones, if any, come first. */
  tasks: TaskId[];
  forgotten: number;
}

/**
 * A read model over the session streams: which key opens which session, which session holds which task.
 * Rebuilt from the log at start, kept by following it. Bounded: the oldest tasks are forgotten beyond
 * `limits.indexedTasksMax`, and the session that was closed first, with all of its tasks, beyond
 * `limits.closedSessionsKept`.
 */
export class LogIndex {
  readonly #sessions = new Map<SessionId, IndexedSession>();
  /** Closed sessions, the first closed first. */
  readonly #closed = new Set<SessionId>();
  readonly #keys = new Map<string, SessionId>();
  readonly #tasks = new Map<TaskId, IndexedTask>();
  /** Plans by their ids, as long as their first task is remembered. */
  readonly #plans = new Map<Hex, { session: SessionId; steps: { name: string; task: TaskId }[] }>();
  readonly #planOf = new Map<TaskId, Hex>();
  readonly #listeners = new Set<IndexListener>();
  #subscription: Subscription | undefined;

  /** Reads and checks the log up to now, then follows it. @throws PouwError what {@link readIntact} throws. */
  async start(store: EventStore): Promise<void> {
    let position = 0;
    for await (const stored of readIntact(store)) {
      this.apply(stored);
      position = stored.position;
    }
    this.#subscription = store.subscribe(position + 1, (stored) => this.apply(stored));
  }

  async stop(): Promise<void> {
    await this.#subscription?.close();
  }

  /** Calls `listener` with each commit of a session that is taken, until the disposer is called. */
  listen(listener: IndexListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The sessions of the log, oldest first. */
  sessions(): readonly SessionId[] {
    return [...this.#sessions.keys()];
  }

  /** The routers that a session's terms name; none for a session that the log does not have. */
  routersOf(session: SessionId): readonly Address[] {
    return this.#sessions.get(session)?.routers ?? [];
  }

  /** The session an HTTP key's hash is bound to. */
  sessionOfKey(keyHash: string): SessionId | undefined {
    return this.#keys.get(keyHash);
  }

  task(id: TaskId): IndexedTask | undefined {
    return this.#tasks.get(id);
  }

  /** What the tasks that have not ended were asked for by, of the sessions that name this router, oldest first. */
  promptsOf(router: Address): Cid[] {
    const found: Cid[] = [];
    for (const { session, prompt } of this.#tasks.values())
      if (prompt !== undefined && this.routersOf(session).includes(router)) found.push(prompt);
    return found;
  }

  plan(id: Hex): IndexedPlan | undefined {
    return this.#plans.get(id);
  }

  /** A session's tasks, newest first, those older than `after`. */
  tasksOf(session: SessionId, after: TaskId | undefined, limit: number): TaskId[] {
    const ids = this.#sessions.get(session)?.tasks ?? [];
    let next = after === undefined ? ids.length - 1 : ids.lastIndexOf(after) - 1;
    const found: TaskId[] = [];
    for (; next >= 0 && found.length < limit; next -= 1) {
      const id = ids[next];
      if (id !== undefined && this.#tasks.has(id)) found.push(id);
    }
    return found;
  }

  /** Takes a stored commit. @throws PouwError `log_newer_version`. */
  apply({ commit }: StoredCommit): void {
    const { kind, key } = parseStreamId(commit.stream);
    if (kind !== 'session') return;
    const session = key as SessionId;
    // A router of a session can sign nonsense about it, which must not keep others from reading the rest.
    const routers = (routersOf(commit) ?? []) as readonly Address[];
    const events = eventsOf(commit) as readonly SessionEvent[];
    for (const event of events) this.#applyEvent(session, event, { version: commit.version, routers });
    for (const listener of this.#listeners) listener(session, commit.version, events);
  }

  #applyEvent(
    session: SessionId,
    event: SessionEvent,
    { version, routers }: { readonly version: number; readonly routers: readonly Address[] },
  ): void {
    switch (event.type) {
      case 'SessionOpened':
        this.#sessions.set(session, { routers, keys: new Set(), tasks: [], forgotten: 0 });
        break;
      case 'SessionClosed':
        this.#closeSession(session);
        break;
      case 'ApiKeyBound':
        this.#keys.set(event.keyHash, session);
        this.#sessions.get(session)?.keys.add(event.keyHash);
        break;
      case 'SessionTransferred':
        this.#endKeys(session);
        break;
      case 'ApiKeyRevoked':
        this.#keys.delete(event.keyHash);
        this.#sessions.get(session)?.keys.delete(event.keyHash);
        break;
      case 'TaskSubmitted':
        if (isPlace(event.plan)) this.#addStep(event.plan, event.task, session);
        this.#addTask(event, session, version);
        break;
      case 'TaskSettled':
        this.#endTask(event.task, version);
        break;
      case 'TaskRefunded':
        // A wish that never came onto the chain does not take the place of the task that has its id there.
        if (event.seen !== null || this.#tasks.get(event.task)?.endedVersion === undefined)
          this.#endTask(event.task, version);
        break;
      default:
    }
  }

  #endTask(id: TaskId, version: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    task.endedVersion = version;
    delete task.prompt;
  }

  #addStep({ id, name, place }: PlanPlace, task: TaskId, session: SessionId): void {
    const known = this.#plans.get(id);
    if (known !== undefined && known.session !== session) return;
    const plan = known ?? { session, steps: [] };
    // They come in their order, in one commit; where they do not, the log has no such plan.
    if (place > plan.steps.length) return;
    plan.steps[place] = { name, task };
    this.#plans.set(id, plan);
    if (place === 0) this.#planOf.set(task, id);
  }

  #forgetTask(task: TaskId): void {
    this.#tasks.delete(task);
    const plan = this.#planOf.get(task);
    if (plan !== undefined) this.#plans.delete(plan);
    this.#planOf.delete(task);
  }

  #addTask({ task, prompt, seen }: TaskSubmitted, session: SessionId, version: number): void {
    const known = this.#tasks.get(task);
    // The id of a task that ended before the chain had it may come from there later: that one has not ended.
    if (known?.endedVersion !== undefined && seen !== null) {
      delete known.endedVersion;
      known.startedVersion = version;
      known.prompt = prompt;
    }
    if (known !== undefined) return;
    this.#tasks.set(task, { session, startedVersion: version, prompt });
    this.#sessions.get(session)?.tasks.push(task);
    if (this.#tasks.size > limits.indexedTasksMax) this.#forgetOldestTask();
  }

  #forgetOldestTask(): void {
    const [oldest] = this.#tasks;
    if (oldest === undefined) return;
    const [task, { session }] = oldest;
    this.#forgetTask(task);
    const of = this.#sessions.get(session);
    if (of === undefined) return;
    of.forgotten += 1;
    // Cut off once they are half of the list: a cut for every task would move the whole list each time.
    if (of.forgotten * 2 <= of.tasks.length) return;
    of.tasks = of.tasks.slice(of.forgotten);
    of.forgotten = 0;
  }

  /** The keys of a session that changes hands are the new owner's to bind. */
  #endKeys(session: SessionId): void {
    const keys = this.#sessions.get(session)?.keys;
    for (const key of keys ?? []) if (this.#keys.get(key) === session) this.#keys.delete(key);
    keys?.clear();
  }

  #closeSession(session: SessionId): void {
    this.#closed.add(session);
    if (this.#closed.size <= limits.closedSessionsKept) return;
    const [first] = this.#closed;
    const of = first === undefined ? undefined : this.#sessions.get(first);
    if (first === undefined || of === undefined) return;
    this.#closed.delete(first);
    this.#sessions.delete(first);
    for (const key of of.keys) if (this.#keys.get(key) === first) this.#keys.delete(key);
    for (const task of of.tasks) this.#forgetTask(task);
  }
}
