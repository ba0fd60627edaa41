import { assert } from '../../core/assert.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import type { Commit } from '../../core/commit.ts';
import { PouwError } from '../../core/errors.ts';
import type { StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { LogMark } from '../../core/log-mark.ts';
import type { AppendResult, EventStore, StoredCommit, StreamHead, Subscription } from '../../ports/event-store.ts';
import { SqliteCommits } from './sqlite-commits.ts';
import {
  openSqliteDatabase,
  openSqliteDatabaseReadOnly,
  type SqliteDatabase,
  type SqliteDatabaseOptions,
} from './sqlite-database.ts';
import { StoreSubscription } from './store-subscription.ts';

/** How often a reader of a foreign process's log looks for new commits, in milliseconds. */
const readerPollMs = 100;

/**
 * The event store over an open database, which stays open when the store is closed. Commits are canonical
 * JSON in `node:sqlite`; appends of one turn of the event loop share one flush to the disk.
 */
export class SqliteEventStore implements EventStore {
  readonly #database: SqliteDatabase;
  readonly #commits: SqliteCommits;
  readonly #subscriptions = new Set<StoreSubscription>();
  #forgetPoll: (() => void) | undefined;
  /** What is on the disk: nobody is told of a later commit before it is. */
  #durablePosition: number;
  #mark: LogMark | undefined;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#commits = database.reading(() => new SqliteCommits(database));
    const newest = database.reading(() => this.#commits.lastPosition());
    this.#durablePosition = database.readOnly ? Number.MAX_SAFE_INTEGER : newest;
    const last = newest === 0 ? undefined : this.#commits.page(newest)[0];
    if (last !== undefined) this.#mark = { position: newest, hash: last.commit.hash };
  }

  /** The newest commit that is on the disk; undefined where there is none. */
  get mark(): LogMark | undefined {
    return this.#mark;
  }

  async append(commit: Commit): Promise<AppendResult> {
    if (this.#database.readOnly) throw readOnly(this.#database.path);
    if (commit.events.length > limits.commitEventsMax) throw tooManyEvents(commit);
    const body = canonicalJson(commit);
    const bytes = Buffer.byteLength(body);
    if (bytes > limits.commitBytesMax) throw tooManyBytes(commit, bytes);
    const { stream, version, prev, hash } = commit;
    const result = await this.#database.writes.write(() => this.#commits.append({ stream, version, prev, hash }, body));
    if (result.outcome === 'stored') {
      if (result.position > this.#durablePosition) {
        this.#durablePosition = result.position;
        this.#mark = { position: result.position, hash };
      }
      this.#wakeSubscriptions();
    }
    return result;
  }

  async *read(
    stream: StreamId,
    options: { fromVersion?: number; toVersion?: number } = {},
  ): AsyncIterable<StoredCommit> {
    const { fromVersion = 1, toVersion = Number.MAX_SAFE_INTEGER } = options;
    assertPlace(fromVersion);
    let next = fromVersion;
    while (next <= toVersion) {
      const page = this.#commits.streamPage(stream, next, toVersion);
      if (page.length === 0) return;
      for (const item of page) yield item;
      next += page.length;
      if (next <= toVersion) await this.#turn();
    }
  }

  async *readAll(options: { fromPosition?: number } = {}): AsyncIterable<StoredCommit> {
    const { fromPosition = 1 } = options;
    assertPlace(fromPosition);
    let next = fromPosition;
    for (;;) {
      const page = this.#commits.page(next);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const item of page) yield item;
      next = last.position + 1;
      await this.#turn();
    }
  }

  subscribe(fromPosition: number, handler: (stored: StoredCommit) => void | Promise<void>): Subscription {
    assertPlace(fromPosition);
    const subscription = new StoreSubscription({
      fromPosition,
      handler,
      readPage: (from) => this.#commits.page(from).filter(({ position }) => position <= this.#durablePosition),
      turn: () => this.#turn(),
      onError: this.#database.onError,
      onClose: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    subscription.start();
    if (this.#database.readOnly) this.#poll();
    return { close: () => subscription.close() };
  }

  async head(stream: StreamId): Promise<StreamHead | undefined> {
    return this.#commits.head(stream);
  }

  async *heads(): AsyncIterable<StreamHead> {
    let last = '';
    for (;;) {
      const page = this.#commits.headsAfter(last);
      if (page.length === 0) return;
      for (const item of page) yield item;
      last = page.at(-1)?.stream ?? last;
      await this.#turn();
    }
  }

  async close(): Promise<void> {
    this.#forgetPoll?.();
    await this.#database.writes.flush();
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
  }

  #wakeSubscriptions(): void {
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /** Another process writes: nothing tells us of new commits, so we look. */
  #poll(): void {
    const { clock } = this.#database;
    this.#forgetPoll ??= clock.at(clock.now() + readerPollMs, () => {
      this.#forgetPoll = undefined;
      if (this.#subscriptions.size === 0) return;
      this.#wakeSubscriptions();
      this.#poll();
    });
  }

  /** Lets others have the event loop between two pages. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#database.schedule(resolve));
  }
}

/** Opens the event store in a file of its own; closing it closes the file. */
export function openSqliteEventStore(options: SqliteDatabaseOptions): EventStore {
  return owning(openSqliteDatabase(options));
}

/**
 * Opens the log in a data directory, or a log file, for reading; appends are refused as `log_read_only`. It
 * works while a node writes to it.
 *
 * @throws PouwError `log_not_found`, `log_corrupt`, `log_newer_version`.
 */
export function openSqliteEventStoreReadOnly(
  source: string,
  options: Omit<SqliteDatabaseOptions, 'path'> = {},
): EventStore {
  return owning(openSqliteDatabaseReadOnly(source, options));
}

function owning(database: SqliteDatabase): EventStore {
  const store = new SqliteEventStore(database);
  const closeStore = store.close.bind(store);
  return Object.assign(store, {
    close: async () => {
      await closeStore();
      await database.close();
    },
  });
}

function assertPlace(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 1, `versions and positions count from 1: ${value}`);
}

function readOnly(path: string): PouwError {
  return new PouwError('log_read_only', `The event log at ${path} was opened for reading.`, { class: 'forbidden' });
}

function tooManyEvents(commit: Commit): PouwError {
  return new PouwError(
    'commit_too_large',
    `Commit ${commit.stream}@${commit.version} has ${commit.events.length} events.`,
    {
      class: 'too-large',
      why: `A commit has at most ${limits.commitEventsMax} events.`,
      hint: 'Split the command into several commits.',
    },
  );
}

function tooManyBytes(commit: Commit, bytes: number): PouwError {
  return new PouwError('commit_too_large', `Commit ${commit.stream}@${commit.version} has ${bytes} bytes.`, {
    class: 'too-large',
    why: `A commit has at most ${limits.commitBytesMax} bytes.`,
    hint: 'Put large content into the content store and its hash into the event.',
  });
}
