import type { NatsConnection, Subscription as NatsSubscription } from 'nats';
import { assert, present } from '../../../core/assert.ts';
import type { Commit } from '../../../core/commit.ts';
import { errorCode, errorMessage } from '../../../core/errors.ts';
import type { Address, StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { storedSubject, subjectRoot } from '../../../messages/subjects.ts';
import type { AppendResult, EventStore, StoredCommit, StreamHead, Subscription } from '../../../ports/event-store.ts';
import { Appender } from './appender.ts';
import { declareStream, eventStreamConfig } from './event-stream.ts';
import { HeadCache } from './head-cache.ts';
import { LogFollower } from './log-follower.ts';
import { LogReader, type SubjectHead } from './log-reader.ts';
import type { LogTrust } from './log-trust.ts';
import { type NatsNames, natsNames, ownConsumerName } from './names.ts';
import { logClosed, logError, logRestricted, logUnreachable } from './nats-errors.ts';
import { Reach } from './reach.ts';
import { OwnJudge } from './own-judge.ts';
import { OwnStreamReader } from './own-stream-reader.ts';
import type { StoredMessage } from './stored-commit.ts';
import { LogJudge, type StreamJudge } from './stream-judge.ts';
import { type LogMessages, StreamReader } from './stream-reader.ts';
import { streamsClient, streamsManager } from '../streams-api.ts';

/** How to open the event store on NATS. */
export interface NatsEventStoreOptions {
  /** Stays open when the store is closed. */
  readonly connection: NatsConnection;
  /** How the subjects of answers to this node begin, where its key allows no others. Default the client's, `_INBOX`. */
  readonly inboxPrefix?: string;
  /** Servers that keep each commit. Default 1; 3 survive the loss of one without losing a commit. */
  readonly replicas?: number;
  /**
   * What this node's key may read: the whole log, or single streams by their names (`read`, `head` and `append`; the
   * rest is `log_restricted`). Default all.
   */
  readonly reads?: 'all' | 'own';
  /** Who reads its own stream only, where the servers let it make one consumer: the one of its name. */
  readonly owner?: Address;
  /** Whose signatures count. Default nobody's: form, hash and place in the stream are checked alone. */
  readonly trust?: LogTrust;
  /** The root of the subjects. Default `pouw.v1`. */
  readonly root?: string;
  /** How long a log that does not answer is tried to be reached, in milliseconds. Default `limits.logReachMsMax`. */
  readonly reachMs?: number;
  /** How long one request waits for its answer, in milliseconds. Default `limits.logAnswerMsMax`. */
  readonly answerMs?: number;
  /** Told of failures that no promise can report; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** The event log on NATS. */
export interface NatsEventLog extends EventStore {
  /** @throws what ended the following of the log or keeps it from going on, or that lately there was no room to write. */
  requireFollowed(): void;
}

/**
 * Opens the event log on NATS, and makes its stream where there is none.
 *
 * @throws PouwError `nats_config_ignored`, `log_unreachable`.
 */
export async function openNatsEventStore(options: NatsEventStoreOptions): Promise<NatsEventLog> {
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
    const manager = await streamsManager(options.connection, answerMs);
    await reach.answer(() => declareStream(manager, eventStreamConfig(names, options.replicas ?? 1)));
    const { connection, inboxPrefix } = options;
    const source = { connection, ...(inboxPrefix !== undefined && { inboxPrefix }), manager, stream: names.log, reach };
    const messages =
      options.reads === 'own'
        ? new OwnStreamReader(source, ownConsumerName(ownerOf(options)))
        : new StreamReader(source);
    return new NatsEventStore(options, names, reach, messages);
  } catch (error) {
    reach.close();
    throw error;
  }
}

/** The event store over one JetStream stream; a commit's position is its sequence there. */
class NatsEventStore implements NatsEventLog {
  readonly #connection: NatsConnection;
  readonly #names: NatsNames;
  readonly #reach: Reach;
  readonly #messages: LogMessages;
  readonly #reader: LogReader;
  readonly #judge: StreamJudge;
  readonly #appender: Appender;
  readonly #heads = new HeadCache();
  readonly #followers = new Set<LogFollower>();
  readonly #onError: (error: unknown) => void;
  readonly #reads: 'all' | 'own';
  /** Why a follower has ended although nobody closed it. */
  #lost: Error | undefined;
  /** That servers had no room, and until when it counts. */
  #full: { readonly error: unknown; readonly until: number } | undefined;
  #bell: NatsSubscription | undefined;
  #poll: NodeJS.Timeout | undefined;
  #toldPosition = 0;
  #closed = false;

  constructor(options: NatsEventStoreOptions, names: NatsNames, reach: Reach, messages: LogMessages) {
    this.#connection = options.connection;
    this.#names = names;
    this.#reach = reach;
    this.#messages = messages;
    this.#onError = options.onError ?? ((error) => process.emitWarning(errorMessage(error)));
    this.#reads = options.reads ?? 'all';
    const { registry, onRefused } = options.trust ?? {};
    const { root, log } = names;
    const readPage = (from: number, known: number): Promise<StoredMessage[]> => this.#reader.page(from, known);
    this.#judge =
      this.#reads === 'own'
        ? new OwnJudge({ log, root, messages, registry })
        : new LogJudge(log, { root, registry, onRefused, readPage });
    this.#reader = new LogReader(names, messages, this.#judge);
    this.#appender = new Appender({
      connection: options.connection,
      client: streamsClient(options.connection),
      names,
      reach,
      heads: this.#heads,
      readHead: (stream) => this.#readHead(stream),
      readHeadAt: (stream, version) => this.#reader.headAt(stream, version),
      counts: this.#judge.counts,
      onStored: (position, hash) => this.#judge.stored(position, hash),
    });
    reach.onReconnect(() => this.#followers.forEach((follower) => follower.doubt()));
  }

  async append(commit: Commit): Promise<AppendResult> {
    this.#requireOpen();
    try {
      return await this.#appender.append(commit);
    } catch (error) {
      if (errorCode(error) === 'disk_full') this.#full = { error, until: performance.now() + limits.logFullMs };
      throw error;
    }
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
    if (this.#reads === 'own') throw logRestricted(this.#names.log);
    const follower = new LogFollower({
      log: this.#names.log,
      fromPosition,
      handler,
      readPage: (from) => this.#reader.page(from),
      judge: (page) => this.#judge.take(page),
      hashAt: (position) => this.#reader.hashAt(position),
      toldPosition: () => this.#toldPosition,
      onError: this.#onError,
      onLost: (error) => (this.#lost = errorOf(error)),
      onClose: () => this.#followers.delete(follower),
    });
    this.#followers.add(follower);
    this.#listen();
    follower.start();
    return { close: () => follower.close() };
  }

  async head(stream: StreamId): Promise<StreamHead | undefined> {
    this.#requireOpen();
    const head = await this.#readHead(stream);
    if (head === undefined || head.version === 0) return undefined;
    const { last: _last, ...newest } = head;
    return newest;
  }

  requireFollowed(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#full !== undefined && performance.now() < this.#full.until) throw errorOf(this.#full.error);
    for (const follower of this.#followers) if (follower.trouble !== undefined) throw errorOf(follower.trouble);
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

  async #readHead(stream: StreamId): Promise<SubjectHead | undefined> {
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
        // A server also sends its answers here, if anybody wants them here: only a look tells for sure.
        const position = error === null ? Number(message.headers?.last('Nats-Sequence')) : 0;
        const isNext = position > this.#toldPosition && position <= this.#toldPosition + limits.logToldAheadMax;
        if (isNext) this.#toldPosition = position;
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
      if (last < told || last < follower.lastPosition) follower.doubt();
      else if (last > told) follower.wake();
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw logClosed(this.#names.log);
  }
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
}

function ownerOf({ owner }: NatsEventStoreOptions): Address {
  return present(owner, 'who reads its own stream');
}

function assertPlace(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 1, `versions and positions count from 1: ${value}`);
}
