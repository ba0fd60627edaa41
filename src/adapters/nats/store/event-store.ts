import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection, Subscription as NatsSubscription } from 'nats';
import { assert } from '../../../core/assert.ts';
import type { Commit } from '../../../core/commit.ts';
import { errorMessage } from '../../../core/errors.ts';
import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { storedSubject, subjectRoot } from '../../../messages/subjects.ts';
import type { AppendResult, EventStore, StoredCommit, StreamHead, Subscription } from '../../../ports/event-store.ts';
import { Appender } from './appender.ts';
import { declareStream, eventStreamConfig } from './event-stream.ts';
import { HeadCache } from './head-cache.ts';
import { LogFollower } from './log-follower.ts';
import { LogReader } from './log-reader.ts';
import { type NatsNames, natsNames } from './names.ts';
import { logClosed, logError, logUnreachable } from './nats-errors.ts';
import { Reach } from './reach.ts';
import { StreamReader } from './stream-reader.ts';

/** How to open the event store on NATS. */
export interface NatsEventStoreOptions {
  /** Stays open when the store is closed. */
  readonly connection: NatsConnection;
  /** Servers that keep each commit. Default 1; 3 survive the loss of one without losing a commit. */
  readonly replicas?: number;
  /** The root of the subjects. Default `pouw.v1`. */
  readonly root?: string;
  /** How long a log that does not answer is tried to be reached, in milliseconds. Default `limits.logReachMsMax`. */
  readonly reachMs?: number;
  /** How long one request waits for its answer, in milliseconds. Default `limits.logAnswerMsMax`. */
  readonly answerMs?: number;
  /** Told of failures that no promise can report; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Opens the event log on NATS, and makes its stream where there is none.
 *
 * @throws PouwError `nats_stream_differs`, `log_unreachable`.
 */
export async function openNatsEventStore(options: NatsEventStoreOptions): Promise<EventStore> {
  const names = natsNames(options.root ?? subjectRoot);
  const answerMs = options.answerMs ?? limits.logAnswerMsMax;
  const reach = new Reach(options.connection, {
    reachMs: options.reachMs ?? limits.logReachMsMax,
    answerMs,
    unreachable: (waitedMs, cause) => logUnreachable(names.log, waitedMs, cause),
    closed: (cause) => logClosed(names.log, cause),
    explain: (error) => logError(names.log, error),
  });
  try {
    const manager = await jetstreamManager(options.connection, { checkAPI: false, timeout: answerMs });
    await reach.answer(() => declareStream(manager, eventStreamConfig(names, options.replicas ?? 1)));
    const messages = new StreamReader({ connection: options.connection, manager, stream: names.log, reach });
    return new NatsEventStore(options, names, reach, messages);
  } catch (error) {
    reach.close();
    throw error;
  }
}

/** The event store over one JetStream stream; a commit's position is its sequence there. */
class NatsEventStore implements EventStore {
  readonly #connection: NatsConnection;
  readonly #names: NatsNames;
  readonly #reach: Reach;
  readonly #messages: StreamReader;
  readonly #reader: LogReader;
  readonly #appender: Appender;
  readonly #heads = new HeadCache();
  readonly #followers = new Set<LogFollower>();
  readonly #onError: (error: unknown) => void;
  #bell: NatsSubscription | undefined;
  #poll: NodeJS.Timeout | undefined;
  #toldPosition = 0;
  #closed = false;

  constructor(options: NatsEventStoreOptions, names: NatsNames, reach: Reach, messages: StreamReader) {
    this.#connection = options.connection;
    this.#names = names;
    this.#reach = reach;
    this.#messages = messages;
    this.#onError = options.onError ?? ((error) => process.emitWarning(errorMessage(error)));
    this.#reader = new LogReader(names, messages);
    this.#appender = new Appender({
      connection: options.connection,
      client: jetstream(options.connection),
      names,
      reach,
      heads: this.#heads,
      readHead: (stream) => this.#readHead(stream),
      readHeadAt: (stream, version) => this.#reader.headAt(stream, version),
    });
    reach.onReconnect(() => this.#followers.forEach((follower) => follower.doubt()));
  }

  async append(commit: Commit): Promise<AppendResult> {
    this.#requireOpen();
    return this.#appender.append(commit);
  }

  async *read(
    stream: StreamId,
    options: { fromVersion?: number; toVersion?: number } = {},
  ): AsyncIterable<StoredCommit> {
    const { fromVersion = 1, toVersion = Number.MAX_SAFE_INTEGER } = options;
    assertPlace(fromVersion);
    this.#requireOpen();
    yield* this.#reader.read(stream, fromVersion, toVersion);
  }

  async *readAll(options: { fromPosition?: number } = {}): AsyncIterable<StoredCommit> {
    const { fromPosition = 1 } = options;
    assertPlace(fromPosition);
    this.#requireOpen();
    yield* this.#reader.readAll(fromPosition);
  }

  subscribe(fromPosition: number, handler: (stored: StoredCommit) => void | Promise<void>): Subscription {
    assertPlace(fromPosition);
    this.#requireOpen();
    const follower = new LogFollower({
      log: this.#names.log,
      fromPosition,
      handler,
      readPage: (from) => this.#reader.page(from),
      hashAt: (position) => this.#reader.hashAt(position),
      toldPosition: () => this.#toldPosition,
      onError: this.#onError,
      onClose: () => this.#followers.delete(follower),
    });
    this.#followers.add(follower);
    this.#listen();
    follower.start();
    return { close: () => follower.close() };
  }

  async head(stream: StreamId): Promise<StreamHead | undefined> {
    this.#requireOpen();
    return this.#readHead(stream);
  }

  async *heads(): AsyncIterable<StreamHead> {
    this.#requireOpen();
    yield* await this.#reader.heads();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#poll);
    this.#bell?.unsubscribe();
    await Promise.all([this.#appender.idle(), ...[...this.#followers].map((follower) => follower.close())]);
    this.#reach.close();
  }

  async #readHead(stream: StreamId): Promise<StreamHead | undefined> {
    const head = await this.#reader.head(stream);
    if (head === undefined) this.#heads.forget(stream);
    else this.#heads.keep(head);
    return head;
  }

  /** Hears of every stored commit, and looks for itself from time to time: what it hears of may be lost. */
  #listen(): void {
    if (this.#bell !== undefined) return;
    this.#bell = this.#connection.subscribe(storedSubject('>', this.#names.root), {
      callback: (error, message) => {
        const position = error === null ? Number(message.headers?.get('Nats-Sequence')) : 0;
        this.#toldPosition = Math.max(this.#toldPosition, position);
        for (const follower of this.#followers) follower.wake();
      },
    });
    this.#pollLater();
  }

  #pollLater(): void {
    this.#poll = setTimeout(() => void this.#look().finally(() => this.#closed || this.#pollLater()), limits.logPollMs);
  }

  async #look(): Promise<void> {
    if (this.#followers.size === 0) return;
    const told = this.#toldPosition;
    // While the log cannot be reached the followers say so.
    const last = await this.#messages.lastPosition().catch(() => told);
    this.#toldPosition = last < told ? last : Math.max(this.#toldPosition, last);
    for (const follower of this.#followers) {
      if (last < told) follower.doubt();
      else if (last > told) follower.wake();
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw logClosed(this.#names.log);
  }
}

function assertPlace(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 1, `versions and positions count from 1: ${value}`);
}
