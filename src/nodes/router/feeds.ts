import type { SessionContext } from '../../../actors/session/context.ts';
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
  /** A task has ended: its view is made and shown to watchers. */
  ended(session: SessionId, task: Folded<TaskContext>): void;
}

/** The feeds of a router's tasks: fed by commits and by the miners' tokens, read by watchers. */
export class Feeds {
  readonly #feeds = new Map<
    TaskId,
    { readonly session: SessionId; readonly feed: TaskFeed; task: Folded<TaskContext> | undefined }
  >();
  readonly #ended: TaskId[] = [];
  readonly #events: FeedEvents;

  constructor(events: FeedEvents) {
    this.#events = events;
  }

  /** The feed of a task, made where there is none. */
  open(session: SessionId, task: TaskId, delivery: 'fast' | 'verified'): TaskFeed {
    const known = this.#feeds.get(task);
    if (known !== undefined) return known.feed;
    const feed = new TaskFeed(delivery);
    this.#feeds.set(task, { session, feed, task: undefined });
    return feed;
  }

  get(task: TaskId): TaskFeed | undefined {
    return this.#feeds.get(task)?.feed;
  }

  /** Forgets a feed whose task was refused. */
  discard(task: TaskId): void {
    this.#feeds.delete(task);
  }

  /** Brings the feeds up to date with a stored commit of a session. */
  apply(session: SessionId, events: readonly Event[], state: Folded<SessionContext>): void {
    const touched = new Set<TaskId>();
    for (const event of events as readonly SessionEvent[]) if ('task' in event) touched.add(event.task);
    for (const task of touched) {
      const folded = state.context.tasks[task];
      if (folded !== undefined) this.update(session, task, folded);
    }
  }

  /** Brings one feed up to date with its task. */
  update(session: SessionId, id: TaskId, task: Folded<TaskContext>): void {
    const feed = this.open(session, id, 'fast');
    const entry = this.#feeds.get(id);
    if (entry !== undefined) entry.task = task;
    feed.enter(task.value as TaskState);
    feed.stream.setPrimary(task.context.primary);
    if (task.value !== 'settled' && task.value !== 'refunded') return;
    this.#events.ended(session, task);
    this.#ended.push(id);
    while (this.#ended.length > limits.endedFeedsKept) {
      const oldest = this.#ended.shift();
      if (oldest !== undefined) this.#feeds.delete(oldest);
    }
  }

  /**
   * Takes a miner's chunk. Only a miner of the task, at its present attempt, is heard.
   *
   * @returns whether it was taken.
   */
  accept(from: Address, chunk: TokenBody, nowMs: number): boolean {
    const entry = this.#feeds.get(chunk.task);
    const slot = entry?.task?.context.slots.find((one) => one.miner === from);
    if (entry === undefined || slot === undefined || slot.attempt !== chunk.attempt) return false;
    return entry.feed.stream.accept(from, chunk, nowMs);
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
  *flowing(): Generator<{ session: SessionId; task: Folded<TaskContext>; feed: TaskFeed }> {
    for (const { session, feed, task } of this.#feeds.values()) {
      if (task === undefined || feed.ended || feed.stream.end !== undefined) continue;
      if (['assigned', 'executing', 'precommitted', 'committed'].includes(task.value)) yield { session, task, feed };
    }
  }

  /** Whether a session has no task here that goes on. */
  isQuiet(session: SessionId): boolean {
    return [...this.#feeds.values()].every((entry) => entry.session !== session || entry.feed.ended);
  }

  /** Forgets the feeds of a session that has another owner now; their watchers are told to ask again. */
  drop(session: SessionId): void {
    for (const [task, entry] of this.#feeds) {
      if (entry.session !== session) continue;
      entry.feed.close();
      this.#feeds.delete(task);
    }
  }

  /** Tells all watchers that the node stops. */
  close(): void {
    for (const { feed } of this.#feeds.values()) feed.close();
  }
}
