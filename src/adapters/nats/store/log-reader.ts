import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { eventSubject } from '../../../messages/subjects.ts';
import type { StoredCommit, StreamHead } from '../../../ports/event-store.ts';
import { logCorrupt, logGap } from './nats-errors.ts';
import type { NatsNames } from './names.ts';
import { headOf, parseCommit, type StoredMessage } from './stored-commit.ts';
import type { StreamReader } from './stream-reader.ts';

/** Up to this version a stream is read from its first commit on: skipping some costs less than searching. */
const searchFrom = limits.storePageCommitsMax;

/**
 * Reads commits. Pages may come from a replica that lags, so wherever commits should be that are not in a page, the
 * leader is asked; what it does not have either is gone, and said to be.
 */
export class LogReader {
  readonly #names: NatsNames;
  readonly #messages: StreamReader;

  constructor(names: NatsNames, messages: StreamReader) {
    this.#names = names;
    this.#messages = messages;
  }

  /** The newest commit of a stream. */
  async head(stream: StreamId): Promise<StreamHead | undefined> {
    const newest = await this.#messages.newest(eventSubject(stream, this.#names.root));
    return newest && this.#headIn(newest);
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
    const newest = await this.#messages.newest(subject);
    if (newest === undefined) return;
    const head = this.#headIn(newest);
    const until = Math.min(toVersion, head.version);
    if (fromVersion === head.version && until === head.version) {
      yield this.#commitIn(newest);
      return;
    }
    if (fromVersion > until) return;
    let version = fromVersion;
    let position = fromVersion < searchFrom ? 1 : await this.#find(subject, fromVersion, head);
    while (version <= until) {
      for (const message of await this.#pageOf(subject, position)) {
        position = message.position + 1;
        const found = headOf(this.#names.log, message).version;
        // Before the first one that was asked for, not between those.
        if (found < version && version === fromVersion) continue;
        if (found !== version) throw this.#outOfOrder(stream, version, found, message.position);
        yield this.#commitIn(message);
        version += 1;
        if (version > until) return;
      }
    }
  }

  /** All commits from a position to the newest one of this moment. @throws PouwError `log_gap`. */
  async *readAll(fromPosition: number): AsyncIterable<StoredCommit> {
    const last = await this.#messages.lastPosition();
    let position = fromPosition;
    let coming = position <= last ? this.#soundPage(position, last) : undefined;
    while (coming !== undefined) {
      const page = await coming;
      position += page.length;
      // The server is busy with the next page while this one is parsed and handled.
      coming = position <= last ? this.#soundPage(position, last) : undefined;
      // Whoever stops reading here does not care what became of it.
      coming?.catch(() => undefined);
      for (const message of page) yield this.#commitIn(message);
    }
  }

  /** A page of commits from a position on; none where there are none yet, or none that the replica knows of. */
  async page(fromPosition: number): Promise<StoredCommit[]> {
    const page = await this.#soundPage(fromPosition, 0);
    return page.map((message) => this.#commitIn(message));
  }

  /** The heads of all streams, as of one moment, in order of stream id. */
  async heads(): Promise<StreamHead[]> {
    const newest = await this.#messages.newestOfEach(`${this.#names.root}.evt.>`);
    const heads = newest.map((message) => headOf(this.#names.log, message));
    return heads.toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
  }

  /** The hash of the commit at a position; undefined where there is none. */
  async hashAt(position: number): Promise<string | undefined> {
    const message = await this.#messages.at(position);
    return message && headOf(this.#names.log, message).hash;
  }

  /** A page without gaps. Positions up to `known` are there, whatever the replica says. */
  async #soundPage(from: number, known: number): Promise<StoredMessage[]> {
    const found = await this.#messages.page({ from });
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

  /** A position from which the commit of a version is the next one of its subject: a search by halves. */
  async #find(subject: string, version: number, head: StreamHead): Promise<number> {
    let low = 1;
    let high = head.position;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const found = await this.#messages.next(subject, middle);
      const at = found && headOf(this.#names.log, found);
      if (at?.version === version) return at.position;
      if (at === undefined || at.version > version) high = middle;
      else low = at.position + 1;
    }
    return low;
  }

  #outOfOrder(stream: StreamId, wanted: number, found: number, position: number): Error {
    const details = { stream, version: wanted, position };
    const why = `At position ${position}, where ${stream}@${wanted} should be, is version ${found}.`;
    return found > wanted ? logGap(this.#names.log, why, details) : logCorrupt(this.#names.log, why, { details });
  }

  #headIn(message: StoredMessage): StreamHead {
    const { position, commit } = this.#commitIn(message);
    return { stream: commit.stream, version: commit.version, hash: commit.hash, position };
  }

  /** The commit in a message, which must be the one that its id names. */
  #commitIn(message: StoredMessage): StoredCommit {
    const commit = parseCommit(this.#names.log, message);
    const { stream, version, hash, position } = headOf(this.#names.log, message);
    if (commit.stream === stream && commit.version === version && commit.hash === hash) return { position, commit };
    const why = `The commit at position ${position} is not the one that the id of its message names.`;
    throw logCorrupt(this.#names.log, why, { details: { stream, version, position } });
  }
}
