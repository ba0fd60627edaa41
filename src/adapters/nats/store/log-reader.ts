import { setImmediate as nextTurn } from 'node:timers/promises';
import { newerVersion } from '../../../core/commit.ts';
import { errorCode } from '../../../core/errors.ts';
import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { eventSubject } from '../../../messages/subjects.ts';
import type { StoredCommit, StreamHead } from '../../../ports/event-store.ts';
import { logCorrupt, logGap } from './nats-errors.ts';
import type { NatsNames } from './names.ts';
import { orderHash, type StoredMessage } from './stored-commit.ts';
import type { LogMessages } from './stream-reader.ts';
import type { StreamJudge } from './stream-judge.ts';

/** Up to this version a stream is read from its first commit on: skipping some costs less than searching. */
const searchFrom = limits.storePageCommitsMax;
/** Messages that do not count and that a search steps over one by one; beyond them pages are read. */
const stepsMax = 16;

/** The newest commit of a stream that counts, and where a compare-and-swap has to stand. */
export interface SubjectHead extends StreamHead {
  /** The position of the newest message of the stream's subject, whether it counts or not. */
  readonly last: number;
}

/**
 * Reads commits. Pages may come from a replica that lags, so wherever commits should be that are not in a page, the
 * leader is asked; what it does not have either is gone, and said to be.
 */
export class LogReader {
  readonly #names: NatsNames;
  readonly #messages: LogMessages;
  readonly #judge: StreamJudge;

  constructor(names: NatsNames, messages: LogMessages, judge: StreamJudge) {
    this.#names = names;
    this.#messages = messages;
    this.#judge = judge;
  }

  /**
   * The newest commit of a stream that counts; of version 0 where there are only messages that do not.
   *
   * @throws PouwError `log_newer_version`, `log_gap`.
   */
  async head(stream: StreamId): Promise<SubjectHead | undefined> {
    return (await this.#newest(stream))?.head;
  }

  async #newest(
    stream: StreamId,
  ): Promise<{ readonly head: SubjectHead; readonly message: StoredMessage } | undefined> {
    const message = await this.#messages.newest(eventSubject(stream, this.#names.root));
    if (message === undefined) return undefined;
    const { newerFrom, ...head } = await this.#judge.head(stream, message);
    if (newerFrom !== undefined) throw newerVersion({ stream, version: newerFrom }, 'a newer format');
    return { head: { ...head, last: Math.max(message.position, head.position) }, message };
  }

  /** The head a stream had at a version. */
  async headAt(stream: StreamId, version: number): Promise<StreamHead | undefined> {
    for await (const { position, commit } of this.read(stream, version, version)) {
      return { stream, version: commit.version, hash: commit.hash, position };
    }
    return undefined;
  }

  /** The commits of a stream, both ends included. @throws PouwError `log_gap` where one of them is missing. */
  async *read(stream: StreamId, fromVersion: number, toVersion: number): AsyncIterable<StoredCommit> {
    const subject = eventSubject(stream, this.#names.root);
    const newest = await this.#newest(stream);
    if (newest === undefined) return;
    const { head, message: last } = newest;
    const until = Math.min(toVersion, head.version);
    if (fromVersion > until) return;
    if (fromVersion === head.version && last.position === head.position) {
      const commit = this.#judge.commitIn(last);
      if (commit !== undefined) yield { position: last.position, commit };
      return;
    }
    let version = fromVersion;
    let before: string | undefined;
    let position = await this.#startOf(subject, fromVersion, head);
    while (version <= until) {
      for (const message of await this.#pageOf(subject, position)) {
        position = message.position + 1;
        const commit = this.#judge.commitIn(message);
        // Before the first one that was asked for, not between those.
        if (commit === undefined || (commit.version < version && version === fromVersion)) continue;
        if (this.#judge.mayStray && (commit.version !== version || commit.prev !== (before ?? commit.prev))) continue;
        if (commit.version !== version) throw this.#outOfOrder(stream, version, commit.version, message.position);
        yield { position: message.position, commit };
        version += 1;
        before = commit.hash;
        if (version > until) return;
      }
    }
  }

  /** All commits from a position to the newest one of this moment. @throws PouwError `log_gap`. */
  async *readAll(fromPosition: number): AsyncIterable<StoredCommit> {
    const last = await this.#messages.lastPosition();
    const cursor = this.#messages.cursor();
    let isFull = false;
    const readPage = async (from: number): Promise<StoredMessage[]> => {
      if (!isFull) {
        try {
          return await cursor.page(from, last);
        } catch (error) {
          if (errorCode(error) !== 'nats_consumers_full') throw error;
          // Others have used up the consumers: it costs more without one.
          isFull = true;
        }
      }
      return this.#messages.page({ from });
    };
    let position = fromPosition;
    let coming = position <= last ? this.#soundPage(position, last, readPage) : undefined;
    let passed: string[] = [];
    try {
      while (coming !== undefined) {
        const page = await coming;
        position += page.length;
        // The server is busy with the next page while this one is judged and handled.
        coming = position <= last ? this.#soundPage(position, last, readPage) : undefined;
        // Whoever stops reading here does not care what became of it.
        coming?.catch(() => undefined);
        for (const [index, judged] of (await this.#judge.take(page)).entries()) {
          if (index % limits.storePageCommitsMax === 0) await nextTurn();
          if ('refused' in judged) passed.push(judged.refused);
          else {
            yield passed.length === 0 ? judged : { ...judged, passed };
            passed = [];
          }
        }
      }
    } finally {
      cursor.close().catch(() => undefined);
    }
  }

  /** A page of messages from a position on; none where there are none yet, or none that the replica knows of. */
  page(fromPosition: number, known = 0): Promise<StoredMessage[]> {
    return this.#soundPage(fromPosition, known, (from) => this.#messages.page({ from }));
  }

  /** The heads of all streams, as of one moment, in order of stream id. */
  async heads(): Promise<StreamHead[]> {
    const heads = await this.#judge.heads(await this.#messages.lastPosition());
    return heads.toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
  }

  /** The hash of what is at a position; undefined where nothing is. */
  async hashAt(position: number): Promise<string | undefined> {
    const message = await this.#messages.at(position);
    return message && orderHash(message);
  }

  /** A page without gaps. Positions up to `known` are there, whatever the replica says. */
  async #soundPage(
    from: number,
    known: number,
    readPage: (from: number) => Promise<StoredMessage[]>,
  ): Promise<StoredMessage[]> {
    const found = await readPage(from);
    const gap = found.findIndex(({ position }, index) => position !== from + index);
    if (gap > 0) return found.slice(0, gap);
    if (gap < 0 && (found.length > 0 || from > known)) {
      return found.filter(({ position }) => known === 0 || position <= known);
    }
    const single = await this.#messages.at(from);
    if (single !== undefined) return [single];
    const why = `There is no commit at position ${from}, though there are later ones.`;
    throw logGap(this.#names.log, why, { position: from });
  }

  /** A page of one subject that is not empty: the caller knows that there is more. */
  async #pageOf(subject: string, from: number): Promise<StoredMessage[]> {
    const page = await this.#messages.page({ from, subject });
    if (page.length > 0) return page;
    const single = await this.#messages.next(subject, from);
    if (single !== undefined) return [single];
    throw logGap(this.#names.log, `The commits of ${subject} from position ${from} on are gone.`, { subject });
  }

  /** A position from which the commit of a version comes next but for what does not count. */
  async #startOf(subject: string, version: number, head: StreamHead): Promise<number> {
    if (version === head.version) return head.position;
    return version < searchFrom ? 1 : this.#find(subject, version, head);
  }

  /** A search by halves. */
  async #find(subject: string, version: number, head: StreamHead): Promise<number> {
    let low = 1;
    let high = head.position;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const at = await this.#countingFrom(subject, middle);
      if (at === 'far') return low;
      if (at?.version === version) return at.position;
      if (at === undefined || at.version > version) high = middle;
      else low = at.position + 1;
    }
    return low;
  }

  /** The first commit of a subject from a position on that counts; `far` behind too much that does not. */
  async #countingFrom(
    subject: string,
    from: number,
  ): Promise<{ readonly version: number; readonly position: number } | 'far' | undefined> {
    let next = from;
    for (let steps = 0; steps < stepsMax; steps += 1) {
      const message = await this.#messages.next(subject, next);
      if (message === undefined) return undefined;
      const commit = this.#judge.commitIn(message);
      if (commit !== undefined) return { version: commit.version, position: message.position };
      next = message.position + 1;
    }
    return 'far';
  }

  #outOfOrder(stream: StreamId, wanted: number, found: number, position: number): Error {
    const details = { stream, version: wanted, position };
    const why = `At position ${position}, where ${stream}@${wanted} should be, is version ${found}.`;
    return found > wanted ? logGap(this.#names.log, why, details) : logCorrupt(this.#names.log, why, { details });
  }
}
