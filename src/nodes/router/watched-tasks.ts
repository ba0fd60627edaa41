import type { SessionContext } from '../../../actors/session/context.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { SessionId, TaskId } from '../../core/ids.ts';
import { tokenSubject } from '../../messages/subjects.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { NodeBase } from '../node-base.ts';
import type { Feeds } from './feeds.ts';
import { hearTokens } from './hear-tokens.ts';
import type { SessionReader } from './session-reader.ts';
import type { TaskFeed } from './task-feed.ts';

/** What watching tasks stands on. */
export interface WatchedTasksOptions {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly reader: SessionReader;
  readonly owns: (session: SessionId) => boolean;
}

/** A task's feed that somebody needs. */
export interface HeldFeed {
  readonly feed: TaskFeed;
  /** Says once that it is needed no more. */
  readonly release: () => void;
}

/** The watched tasks of one session: where their words are heard, unless the session is owned. */
interface Watched {
  readonly tokens: Map<TaskId, Subscription | undefined>;
  /** The version of the session's stream that was told of last, and whether its state is being read. */
  told: number;
  isReading: boolean;
}

const retryMs = 500;
const lagMs = 20;

/**
 * The tasks that somebody watches at this router. Of a session that it owns, commits and words come anyway. Of another
 * router's session it follows the log and hears the miners itself, as long as it is watched: its watchers get the same,
 * and go on undisturbed when the session changes hands, to this router or to another.
 */
export class WatchedTasks {
  readonly #options: WatchedTasksOptions;
  readonly #sessions = new Map<SessionId, Watched>();

  constructor(options: WatchedTasksOptions) {
    this.#options = options;
  }

  /**
   * Opens a task's feed and keeps it going. Of a task that is not there yet all words are heard from the first on.
   *
   * @throws PouwError where the log cannot be read.
   */
  async hold(session: SessionId, task: TaskId, delivery: 'fast' | 'verified'): Promise<HeldFeed> {
    const { feeds, owns } = this.#options;
    const { feed, letGo } = feeds.hold(session, task, delivery);
    const watched = this.#sessions.get(session) ?? { tokens: new Map(), told: 0, isReading: false };
    this.#sessions.set(session, watched);
    if (!watched.tokens.has(task)) watched.tokens.set(task, undefined);
    let isHeld = true;
    const release = (): void => {
      if (isHeld && letGo()) this.#forget(session, task);
      isHeld = false;
    };
    try {
      if (!owns(session)) await this.#follow(session, [task]);
    } catch (error) {
      release();
      throw error;
    }
    return { feed, release };
  }

  /** The log has a commit of a session. */
  onCommit(session: SessionId, version: number): void {
    const watched = this.#sessions.get(session);
    if (watched === undefined || this.#options.owns(session)) return;
    watched.told = Math.max(watched.told, version);
    void this.#catchUp(session, watched);
  }

  /** A task has ended: nothing more is said of it. */
  ended(session: SessionId, task: TaskId): void {
    this.#stopHearing(session, task);
  }

  /** A session is owned now: its words are heard anyway. */
  adopted(session: SessionId): void {
    const watched = this.#sessions.get(session);
    for (const [task, subscription] of watched?.tokens ?? []) {
      watched?.tokens.set(task, undefined);
      this.#close(subscription);
    }
  }

  /** A session is another router's now: those of its tasks that are watched are followed from here on. */
  surrendered(session: SessionId): void {
    const watched = this.#sessions.get(session);
    if (watched === undefined) return;
    this.#hear(session, [...watched.tokens.keys()]);
    void this.#catchUp(session, watched);
  }

  async #follow(session: SessionId, tasks: readonly TaskId[]): Promise<void> {
    // Words first: of a task that the log has not yet, none is missed.
    this.#hear(session, tasks);
    const { state } = await this.#options.reader.read(session);
    if (!this.#options.owns(session)) this.#show(session, tasks, state);
  }

  #hear(session: SessionId, tasks: readonly TaskId[]): void {
    const { base, feeds } = this.#options;
    const tokens = this.#sessions.get(session)?.tokens;
    for (const task of tasks) {
      if (tokens === undefined || tokens.get(task) !== undefined || base.stopping.aborted) continue;
      tokens.set(task, hearTokens(base, feeds, tokenSubject(session, task, '*')));
    }
  }

  #show(session: SessionId, tasks: Iterable<TaskId>, state: Folded<SessionContext>): void {
    for (const task of tasks) {
      const folded = taskOf(state.context, task);
      if (folded !== undefined) this.#options.feeds.update(session, task, folded);
    }
  }

  /** Reads the session until everything that was told of is shown; a log that is away is tried on. */
  async #catchUp(session: SessionId, watched: Watched): Promise<void> {
    if (watched.isReading) return;
    const { base, reader, owns } = this.#options;
    const { clock, log } = base.ports;
    watched.isReading = true;
    const isWanted = (): boolean => this.#sessions.get(session) === watched && !owns(session) && !base.stopping.aborted;
    for (let isBehind = true; isBehind && isWanted();) {
      try {
        const { state, version } = await reader.read(session);
        if (isWanted()) this.#show(session, [...watched.tokens.keys()], state);
        isBehind = version < watched.told;
        if (isBehind) await clock.sleep(lagMs, base.stopping);
      } catch (error) {
        if (base.stopping.aborted) break;
        log.warn('a watched session cannot be read', { session, error: errorMessage(error), retryInMs: retryMs });
        await clock.sleep(retryMs, base.stopping).catch(() => undefined);
      }
    }
    watched.isReading = false;
  }

  #forget(session: SessionId, task: TaskId): void {
    const { feeds, owns } = this.#options;
    this.#stopHearing(session, task);
    if (!feeds.isOver(task) && !(owns(session) && feeds.hasTask(task))) feeds.discard(task);
  }

  #stopHearing(session: SessionId, task: TaskId): void {
    const watched = this.#sessions.get(session);
    const subscription = watched?.tokens.get(task);
    watched?.tokens.delete(task);
    if (watched?.tokens.size === 0) this.#sessions.delete(session);
    this.#close(subscription);
  }

  #close(subscription: Subscription | undefined): void {
    subscription?.close().catch((error: unknown) => {
      this.#options.base.ports.log.warn('a task is still listened to', { error: errorMessage(error) });
    });
  }
}
