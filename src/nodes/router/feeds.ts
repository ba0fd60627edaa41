import type { SessionContext } from '../../../actors/session/context.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { Delivered } from '../../../actors/task/events.ts';
import type { SessionEvent } from '../../../actors/session/events.ts';
import type { Event } from '../../core/commit.ts';
import type { Folded } from '../../core/fold.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, SessionId, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { TokenBody } from '../../messages/bodies.ts';
import type { TaskState } from '../../ports/task-views.ts';
import { TaskFeed } from './task-feed.ts';

/** What the feeds ask of their router. */
export interface FeedEvents {
  /** A task has ended: its view is made and shown to the watchers of its feed. */
  ended(session: SessionId, task: Folded<TaskContext>, feed: TaskFeed): void;
}

/** A feed with what is known of its task. */
interface Entry {
  readonly session: SessionId;
  readonly feed: TaskFeed;
  task: Folded<TaskContext> | undefined;
  /** Whether the task was under way when its feed was opened: words were said before. */
  isLate: boolean;
  /** Whether its end was told. */
  isOver: boolean;
  /** Who needs it, beside the session's owner. */
  holds: number;
}

/** A task whose words may stall. */
export interface FlowingTask {
  readonly session: SessionId;
  readonly task: Folded<TaskContext>;
  readonly feed: TaskFeed;
  readonly isLate: boolean;
}

/** States of a task in which its miners have said something, or will. */
const flowingStates: ReadonlySet<string> = new Set(['assigned', 'executing', 'precommitted', 'committed']);

/** States of a task that gets no more miners. */
const endedStates: ReadonlySet<string> = new Set(['settled', 'refunded']);

/** The feeds of a router's tasks: fed by commits and by the miners' tokens, read by watchers. */
export class Feeds {
  readonly #feeds = new Map<TaskId, Entry>();
  readonly #ended: TaskId[] = [];
  /** Who waits for more to be known of a task. */
  readonly #waiting = new Map<TaskId, Set<() => void>>();
  readonly #events: FeedEvents;

  constructor(events: FeedEvents) {
    this.#events = events;
  }

  /** The feed of a task, made where there is none. */
  open(session: SessionId, task: TaskId, delivery: 'fast' | 'verified'): TaskFeed {
    return this.#entry(session, task, delivery).feed;
  }

  #entry(session: SessionId, task: TaskId, delivery: 'fast' | 'verified'): Entry {
    const known = this.#feeds.get(task);
    if (known !== undefined) return known;
    const feed = new TaskFeed(delivery);
    const entry = { session, feed, task: undefined, isLate: false, isOver: false, holds: 0 };
    this.#feeds.set(task, entry);
    return entry;
  }

  get(task: TaskId): TaskFeed | undefined {
    return this.#feeds.get(task)?.feed;
  }

  /** The session of a task that has a feed. */
  sessionOf(task: TaskId): SessionId | undefined {
    return this.#feeds.get(task)?.session;
  }

  /** Keeps a task's feed, made where there is none, until the returned function is called and nobody else needs it. */
  hold(session: SessionId, task: TaskId, delivery: 'fast' | 'verified'): { feed: TaskFeed; letGo: () => boolean } {
    const entry = this.#entry(session, task, delivery);
    entry.holds += 1;
    const letGo = (): boolean => {
      entry.holds -= 1;
      return entry.holds === 0;
    };
    return { feed: entry.feed, letGo };
  }

  /** Whether a task has ended. */
  isOver(task: TaskId): boolean {
    return this.#feeds.get(task)?.isOver === true;
  }

  /** Whether a feed has a task of the log. */
  hasTask(task: TaskId): boolean {
    return this.#feeds.get(task)?.task !== undefined;
  }

  /** Forgets a feed whose task was refused. */
  discard(task: TaskId): void {
    this.#feeds.delete(task);
  }

  /** Brings the feeds up to date with a stored commit of a session that is owned. */
  apply(session: SessionId, events: readonly Event[], state: Folded<SessionContext>): void {
    const touched = new Set<TaskId>();
    for (const event of events as readonly SessionEvent[]) {
      if (!('task' in event)) continue;
      touched.add(event.task);
      // The chain has a task under an id whose own never came that far: what was shown of that one is over.
      if (event.type === 'TaskSubmitted' && this.get(event.task)?.ended === true) this.discard(event.task);
    }
    for (const task of touched) {
      const folded = taskOf(state.context, task);
      if (folded !== undefined) this.update(session, task, folded);
    }
  }

  /** Brings one feed up to date with its task. */
  update(session: SessionId, id: TaskId, task: Folded<TaskContext>): void {
    const entry = this.#entry(session, id, 'fast');
    const { feed } = entry;
    if (entry.task === undefined) entry.isLate = task.value !== 'queued';
    entry.task = task;
    feed.enter(task.value as TaskState);
    const { primary, joins } = task.context;
    feed.stream.setPrimary(
      primary,
      joins.findLast((join) => join.to === primary),
    );
    for (const tell of this.#waiting.get(id) ?? []) tell();
    if (entry.isOver || !endedStates.has(task.value)) return;
    entry.isOver = true;
    this.#events.ended(session, task, feed);
    this.#ended.push(id);
    while (this.#ended.length > limits.endedFeedsKept) {
      const oldest = this.#ended.shift();
      if (oldest !== undefined) this.#feeds.delete(oldest);
    }
  }

  /**
   * What to make of a miner's words in a task. `early` are those of a miner, or of an attempt, that the log may name in a
   * moment: words and commits come on ways of their own.
   */
  standing(task: TaskId, miner: Address, attempt?: number): 'expected' | 'early' | 'unexpected' {
    const folded = this.#feeds.get(task)?.task;
    const slot = folded?.context.slots.find((one) => one.miner === miner);
    if (slot !== undefined && (attempt ?? slot.attempt) === slot.attempt) return 'expected';
    const mayCome = folded === undefined || !endedStates.has(folded.value);
    return mayCome && (attempt ?? 0) >= (slot?.attempt ?? 0) ? 'early' : 'unexpected';
  }

  /** Calls `tell` whenever more is known of a task, until the disposer is called. */
  onNews(task: TaskId, tell: () => void): () => void {
    const told = this.#waiting.get(task) ?? new Set();
    this.#waiting.set(task, told.add(tell));
    return () => {
      if (told.delete(tell) && told.size === 0) this.#waiting.delete(task);
    };
  }

  /**
   * Takes a miner's chunk. Only a miner of the task, at its present attempt, is heard.
   *
   * @returns whether it was of use, now or before.
   */
  accept(from: Address, chunk: TokenBody, nowMs: number): boolean {
    const entry = this.#feeds.get(chunk.task);
    const slot = entry?.task?.context.slots.find((one) => one.miner === from);
    if (entry === undefined || slot === undefined || slot.attempt !== chunk.attempt) return false;
    return entry.feed.stream.accept(from, chunk, nowMs) !== 'refused';
  }

  /** The words the client has been given of a miner that it reads now; undefined where these are none. */
  delivered(task: TaskId, miner: Address): Delivered | undefined {
    const stream = this.#feeds.get(task)?.feed.stream;
    if (stream?.primary !== miner || stream.delivered.length === 0) return undefined;
    return { tokens: stream.delivered.length, prefixHash: stream.prefixHash() };
  }

  /** Whether the tokens a miner streamed are the ones it committed. */
  compare(task: TaskId, miner: Address, committed: Hex): 'match' | 'mismatch' | 'unseen' {
    const root = this.#feeds.get(task)?.feed.stream.streamRoot(miner);
    if (root === undefined) return 'unseen';
    return root === committed ? 'match' : 'mismatch';
  }

  /** Tasks whose words may stall: assigned, not ended, answer not whole. */
  *flowing(): Generator<FlowingTask> {
    for (const { session, feed, task, isLate } of this.#feeds.values()) {
      if (task === undefined || feed.ended || feed.stream.end !== undefined) continue;
      if (flowingStates.has(task.value)) yield { session, task, feed, isLate };
    }
  }

  /** Whether a session has no task here that goes on. */
  isQuiet(session: SessionId): boolean {
    return [...this.#feeds.values()].every((entry) => entry.session !== session || entry.feed.ended);
  }

  /** Forgets the feeds of a session that has another owner now, but for those that somebody needs. */
  drop(session: SessionId): void {
    for (const [task, entry] of this.#feeds) {
      if (entry.session !== session || entry.holds > 0) continue;
      entry.feed.close();
      this.#feeds.delete(task);
    }
  }

  /** Tells all watchers that the node stops. */
  close(): void {
    for (const { feed } of this.#feeds.values()) feed.close();
  }
}
