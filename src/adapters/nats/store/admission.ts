import { setImmediate as nextTurn } from 'node:timers/promises';
import { authorFault, openingFault, routersOf } from '../../../core/author-rules.ts';
import { isStreamId } from '../../../core/commit-form.ts';
import { type Commit, placeFault } from '../../../core/commit.ts';
import { isCount } from '../../../core/json-form.ts';
import { verifySignatureAside } from '../../../core/ed25519.ts';
import { type Address, parseStreamId, type SessionId, type StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { Recent } from '../../../core/recent.ts';
import { isShared, type Standing, standingAfter, unwritten } from '../../../core/standing.ts';
import { eventSubject } from '../../../messages/subjects.ts';
import type { StoredCommit, StreamHead } from '../../../ports/event-store.ts';
import type { LogTrust, OpeningClaim } from './log-trust.ts';
import { PositionSet } from './position-set.ts';
import {
  type CommitClaim,
  orderHash,
  type Reading,
  readMessage,
  type RefusalCode,
  type StoredMessage,
} from './stored-commit.ts';

/** What an {@link Admission} is made of. */
export interface AdmissionOptions extends LogTrust {
  readonly root: string;
  /** The messages from a position on, in order and without gaps; up to `known` there are some. */
  readonly readPage: (from: number, known: number) => Promise<readonly StoredMessage[]>;
}

/** A message of the log that was judged: it counts as a commit, or it does not and has a hash for the order. */
export type Judged = StoredCommit | { readonly position: number; readonly refused: string };

/** The newest commit of a stream that counts; and the version from which on its author writes a newer format. */
export interface JudgedHead extends StreamHead {
  readonly newerFrom?: number;
}

/** A stream as far as the log was judged. */
interface Kept {
  readonly subject: string;
  standing: Standing;
  /** Of its newest commit. */
  position: number;
  /** Its author writes a format that this pouw cannot read: nothing of it counts from there on. */
  newerFrom?: number;
}

/**
 * Decides which messages of the log count. The log on NATS takes from each node whatever it sends to the subjects it may
 * use, so a message is a commit of the network only where it is the next one of its stream, whole, signed with the
 * registered key of its author, and of somebody who may write there: what `pouw log verify` holds commits to. All else is
 * passed over, and the stream goes on as if it were not there.
 *
 * Every message is judged once, in the order of the log and by nothing but what lies before it and the registry. So all
 * processes come to the same log.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #streams = new Map<StreamId, Kept>();
  readonly #refused = new PositionSet();
  /** Commits that this process has stored itself: their signatures are its own. */
  readonly #own = new Recent<number, string>(limits.storeHeadsCachedMax);
  #judgedTo = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Notes a commit that this process has appended. */
  stored(position: number, hash: string): void {
    this.#own.set(position, hash);
  }

  /** Judges the log up to a position that it has. */
  upTo(position: number): Promise<void> {
    return position <= this.#judgedTo ? Promise.resolve() : this.#alone(() => this.#advance(position));
  }

  /** What of a page of messages counts. */
  async take(page: readonly StoredMessage[]): Promise<Judged[]> {
    const [first] = page;
    const last = page.at(-1);
    if (first === undefined || last === undefined) return [];
    const fresh = new Map<number, Commit>();
    if (last.position > this.#judgedTo) {
      await this.#alone(async () => {
        await this.#advance(first.position - 1);
        await this.#judge(page, fresh);
      });
    }
    return page.map((message) => {
      const { position } = message;
      const commit = fresh.get(position) ?? this.commitAt(message);
      return commit === undefined ? { position, refused: orderHash(message) } : { position, commit };
    });
  }

  /** Whether the message at a position that was judged does not count. */
  isRefused(position: number): boolean {
    return this.#refused.has(position);
  }

  /** The commit in a message that was judged; undefined where it does not count. */
  commitAt(message: StoredMessage): Commit | undefined {
    return this.#refused.has(message.position) ? undefined : commitIn(message);
  }

  /** The newest commit of a stream that counts; undefined where there is none. */
  head(stream: StreamId): JudgedHead | undefined {
    const kept = this.#streams.get(stream);
    return kept && headOf(stream, kept);
  }

  /** The heads of all streams that have commits. */
  heads(): StreamHead[] {
    return [...this.#streams].map(([stream, kept]) => headOf(stream, kept)).filter(({ version }) => version > 0);
  }

  /** One after the other: a message is judged by what lies before it. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #advance(position: number): Promise<void> {
    while (this.#judgedTo < position) await this.#judge(await this.#options.readPage(this.#judgedTo + 1, position));
  }

  /** @param fresh takes the commits found, so that they need not be read again. */
  async #judge(page: readonly StoredMessage[], fresh?: Map<number, Commit>): Promise<void> {
    for (let from = 0; from < page.length; from += limits.storePageCommitsMax) {
      const part = page.slice(from, from + limits.storePageCommitsMax).filter((one) => one.position > this.#judgedTo);
      const readings = part.map((message) => readMessage(message, (stream) => this.#subjectOf(stream)));
      await this.#learn(readings);
      const areSigned = await Promise.all(readings.map((reading, index) => this.#isSigned(reading, part[index])));
      for (const [index, message] of part.entries()) {
        const reading = readings[index];
        if (reading !== undefined) this.#decide(message, reading, areSigned[index] ?? false, fresh);
        this.#judgedTo = message.position;
      }
      // Others have the event loop from time to time.
      await nextTurn();
    }
  }

  /** Asks for authors that nobody has heard of, where their being known would make a difference. */
  async #learn(readings: readonly Reading[]): Promise<void> {
    const { registry } = this.#options;
    if (registry === undefined) return;
    const unknown = new Set<Address>();
    for (const reading of readings) {
      const claim = claimOf(reading);
      if (claim === undefined || registry.get(claim.author) !== undefined) continue;
      const { kind, key } = parseStreamId(claim.stream);
      if (kind === 'session' || key === claim.author) unknown.add(claim.author);
    }
    if (unknown.size > 0) await registry.learn([...unknown]);
    const openings = readings.flatMap((reading) => this.#openingIn(reading));
    if (openings.length > 0) await registry.openings?.learn(openings);
  }

  /** What begins a session's stream, if it is by somebody who may write sessions at all. */
  #openingIn(reading: Reading): OpeningClaim[] {
    const claim = claimOf(reading);
    const { registry } = this.#options;
    if (claim?.version !== 1 || registry === undefined) return [];
    const { kind, key } = parseStreamId(claim.stream);
    if (kind !== 'session' || this.#streams.has(claim.stream)) return [];
    if (registry.get(claim.author)?.roles.includes('router') !== true) return [];
    return [{ session: key as SessionId, author: claim.author, block: openedIn(reading) }];
  }

  async #isSigned(reading: Reading, message: StoredMessage | undefined): Promise<boolean> {
    const { registry } = this.#options;
    const claim = claimOf(reading);
    if (claim === undefined || message === undefined) return false;
    if (registry === undefined || this.#own.get(message.position) === claim.hash) return true;
    const author = registry.get(claim.author);
    // Of who may not write there at all the signature does not matter.
    if (author === undefined || authorFault(claim, registry, undefined) !== undefined) return false;
    return verifySignatureAside(author.key, claim.hash, claim.sig);
  }

  #decide(message: StoredMessage, reading: Reading, isSigned: boolean, fresh?: Map<number, Commit>): void {
    const { position } = message;
    const claim = claimOf(reading);
    const before = claim === undefined ? unwritten : (this.#streams.get(claim.stream)?.standing ?? unwritten);
    const code = this.#refusal(reading, before, isSigned);
    if (code !== undefined || !('commit' in reading)) {
      const isNewer = code === undefined;
      this.#refused.add(position);
      if (isNewer && claim !== undefined) this.#keep(claim.stream).newerFrom = claim.version;
      const stream = streamOf(message.subject, this.#options.root);
      this.#options.onRefused?.({ position, code: code ?? 'newer_format', stream });
      return;
    }
    const { commit } = reading;
    const kept = this.#keep(commit.stream);
    kept.standing = standingAfter(before, commit, true);
    kept.position = position;
    fresh?.set(position, commit);
  }

  /** Why a message does not count; undefined for a commit that does, and for a sound one of a newer format. */
  #refusal(reading: Reading, before: Standing, isSigned: boolean): RefusalCode | undefined {
    const { registry } = this.#options;
    const claim = claimOf(reading);
    if (claim === undefined) return 'refused' in reading ? reading.refused : 'wrong_form';
    if (this.#streams.get(claim.stream)?.newerFrom !== undefined) return 'newer_format';
    const misplaced = placeFault(claim, before);
    if (misplaced !== undefined) return misplaced;
    if (registry === undefined) return undefined;
    if (registry.get(claim.author) === undefined) return 'unknown_author';
    const routers = before.routers ?? ('commit' in reading ? routersOf(reading.commit) : undefined);
    if (authorFault(claim, registry, routers) !== undefined) return 'forbidden_author';
    if (before.version === 0 && !this.#mayOpen(reading, claim)) return 'forbidden_author';
    if (isShared(claim, before)) return 'shared_fence';
    return isSigned ? undefined : 'wrong_signature';
  }

  /** Whether what begins a stream may do so: a session's stream is begun by a router that it was opened with. */
  #mayOpen(reading: Reading, { stream, author }: CommitClaim): boolean {
    const { kind, key } = parseStreamId(stream);
    if (kind !== 'session') return true;
    const openings = this.#options.registry?.openings;
    const opened = openings?.get(key as SessionId);
    if (openings !== undefined && opened?.includes(author) !== true) return false;
    return !('commit' in reading) || openingFault(reading.commit, opened) === undefined;
  }

  #keep(stream: StreamId): Kept {
    let kept = this.#streams.get(stream);
    if (kept === undefined) {
      kept = { subject: eventSubject(stream, this.#options.root), standing: unwritten, position: 0 };
      this.#streams.set(stream, kept);
    }
    return kept;
  }

  #subjectOf(stream: StreamId): string {
    return this.#streams.get(stream)?.subject ?? eventSubject(stream, this.#options.root);
  }
}

function headOf(stream: StreamId, { standing, position, newerFrom }: Kept): JudgedHead {
  const head = { stream, version: standing.version, hash: standing.hash, position };
  return newerFrom === undefined ? head : { ...head, newerFrom };
}

function claimOf(reading: Reading): CommitClaim | undefined {
  if ('commit' in reading) return reading.commit;
  return 'newer' in reading ? reading.newer : undefined;
}

/** The commit in a message that was judged to be one. */
function commitIn({ data }: StoredMessage): Commit {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as Commit;
}

/** The stream that a subject of the log names, if it is one. */
function streamOf(subject: string, root: string): StreamId | undefined {
  const stream = subject.slice(`${root}.evt.00.`.length);
  return isStreamId(stream) && eventSubject(stream, root) === subject ? stream : undefined;
}

/** The block in which a session was opened, by the event that says so. */
function openedIn(reading: Reading): number | undefined {
  const seen = 'commit' in reading ? reading.commit.events[0]?.['seen'] : undefined;
  const block = (seen as { readonly block?: unknown } | null | undefined)?.block;
  return isCount(block, 0) ? block : undefined;
}
