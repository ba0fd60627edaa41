import type { JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { canonicalJson } from '../../../core/canonical-json.ts';
import { type Commit, genesisHash } from '../../../core/commit.ts';
import { PouwError } from '../../../core/errors.ts';
import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { eventSubject } from '../../../messages/subjects.ts';
import type { AppendResult, StreamHead } from '../../../ports/event-store.ts';
import type { HeadCache } from './head-cache.ts';
import { isWrongSequence, logCorrupt } from './nats-errors.ts';
import type { SubjectHead } from './log-reader.ts';
import type { NatsNames } from './names.ts';
import type { Reach } from './reach.ts';
import { commitMessageId } from './stored-commit.ts';
import { Turns } from './turns.ts';

/** What an {@link Appender} is made of. */
export interface AppenderOptions {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly names: NatsNames;
  readonly reach: Reach;
  readonly heads: HeadCache;
  /** The newest commit of a stream, from the leader. */
  readonly readHead: (stream: StreamId) => Promise<SubjectHead | undefined>;
  /** The head a stream had at a version. */
  readonly readHeadAt: (stream: StreamId, version: number) => Promise<StreamHead | undefined>;
  /** Whether the message at a position counts; left out where only the newest one of a stream is looked at. */
  readonly counts?: ((position: number) => Promise<boolean>) | undefined;
  /** Told of each commit that the log has taken. */
  readonly onStored: (position: number, hash: string) => void;
}

/** What became of one publish. */
type Published =
  | { readonly outcome: 'stored' | 'duplicate'; readonly position: number }
  | { readonly outcome: 'behind' };
/** The server knows the id of the message; whether the commit is there is not said. */
type IdKnown = { readonly outcome: 'known'; readonly wasSent: boolean };

/** What the headers of a message take beside the id: their names, the sequence and the line ends. */
const headerBytes = 96;
/** How often a compare-and-swap may fail although nothing newer is there than what it compared with. */
const strangeFailuresMax = 3;
/** How often others may come between with what does not count before a commit is put behind them unseen. */
const overtakenMax = 8;

/**
 * Appends commits. The server compares the sequence of the subject's last message with that of the commit before, so
 * that one of many writers wins, wherever they are; from the answer and the head it is known exactly what happened.
 */
export class Appender {
  readonly #options: AppenderOptions;
  /** The commits of one stream are appended one after the other, those of different streams side by side. */
  readonly #turns = new Turns(limits.logAppendsInFlightMax);

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /** @throws PouwError `commit_too_large`, `log_busy`, `log_unreachable`, `log_closed`, `disk_full`. */
  async append(commit: Commit): Promise<AppendResult> {
    if (commit.events.length > limits.commitEventsMax) throw tooManyEvents(commit);
    if (this.#turns.size >= limits.storePendingWritesMax) throw tooManyWrites();
    const body = Buffer.from(canonicalJson(commit));
    this.#requireSize(commit, body.length);
    return this.#turns.run(commit.stream, () => this.#append(commit, body));
  }

  /** Resolves when nothing is being appended any more. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }

  async #append(commit: Commit, body: Uint8Array): Promise<AppendResult> {
    const { heads, readHead, counts } = this.#options;
    const { stream } = commit;
    let head = heads.get(stream);
    let isFresh = false;
    let strange = 0;
    for (let tries = 0; strange <= strangeFailuresMax; tries += 1) {
      if (commit.version === (head?.version ?? 0) + 1 && commit.prev === (head?.hash ?? genesisHash)) {
        const published =
          tries < overtakenMax || counts === undefined
            ? await this.#publish(commit, body, head?.last ?? 0)
            : await this.#publishUnseen(commit, body, counts);
        if (published.outcome !== 'behind') return published;
      } else if (commit.version === head?.version && commit.hash === head.hash) {
        return { outcome: 'duplicate', position: head.position };
      } else if (isFresh) {
        return this.#notNext(commit, head);
      }
      const newest = await readHead(stream);
      if (isFresh && newest?.last === head?.last) strange += 1;
      head = newest;
      isFresh = true;
    }
    const why = `The server compares ${stream} with another commit than the newest one it has.`;
    throw logCorrupt(this.#options.names.log, why, { details: { stream, version: commit.version } });
  }

  /** Publishes a commit until it is known what became of it. */
  async #publish(commit: Commit, body: Uint8Array, after: number): Promise<Published> {
    const sent = await this.#send(commit, body, after, { msgID: commitMessageId(commit) });
    if (sent.outcome !== 'known') return sent;
    const there = await this.#options.readHeadAt(commit.stream, commit.version);
    if (there?.hash === commit.hash)
      return { outcome: sent.wasSent ? 'stored' : 'duplicate', position: there.position };
    // Somebody else has used the id for something that does not count; the comparison guards the place without it, too.
    const again = await this.#send(commit, body, after, {});
    return again.outcome === 'known' ? { outcome: 'behind' } : again;
  }

  /**
   * Publishes a commit without comparing: somebody publishes to the subject of the stream faster than its newest message
   * can be read. Which of the commits that follow the same one counts is decided by their order in the log in any case.
   */
  async #publishUnseen(
    commit: Commit,
    body: Uint8Array,
    counts: NonNullable<AppenderOptions['counts']>,
  ): Promise<Published> {
    const { client, names, reach } = this.#options;
    const subject = eventSubject(commit.stream, names.root);
    const { seq } = await reach.answer((answerMs) => client.publish(subject, body, { timeout: answerMs }));
    return (await counts(seq)) ? { outcome: 'stored', position: seq } : { outcome: 'behind' };
  }

  async #send(
    commit: Commit,
    body: Uint8Array,
    after: number,
    id: { readonly msgID?: string },
  ): Promise<Published | IdKnown> {
    const { client, names, reach, heads, onStored } = this.#options;
    const { stream, version, hash } = commit;
    const options = { ...id, expect: { lastSubjectSequence: after } };
    let wasSent = false;
    try {
      const { seq, duplicate } = await reach.answer((answerMs, again) => {
        wasSent = again;
        return client.publish(eventSubject(stream, names.root), body, { ...options, timeout: answerMs });
      });
      // A duplicate of what was sent before and not answered may be that: it was stored, by this append.
      if (duplicate) return { outcome: 'known', wasSent };
      heads.keep({ stream, version, hash, position: seq, last: seq });
      onStored(seq, hash);
      return { outcome: 'stored', position: seq };
    } catch (error) {
      if (!isWrongSequence(error)) throw error;
    }
    if (!wasSent) return { outcome: 'behind' };
    const head = await this.#options.readHeadAt(stream, version);
    return head?.hash === hash ? { outcome: 'stored', position: head.position } : { outcome: 'behind' };
  }

  /** A commit that does not follow the newest one: it is there already, or it never will be. */
  async #notNext({ stream, version, hash }: Commit, head: StreamHead | undefined): Promise<AppendResult> {
    if (head !== undefined && version < head.version) {
      const stored = await this.#options.readHeadAt(stream, version);
      if (stored?.hash === hash) return { outcome: 'duplicate', position: stored.position };
    }
    return { outcome: 'conflict', version: head?.version ?? 0 };
  }

  #requireSize(commit: Commit, bytes: number): void {
    if (bytes > limits.commitBytesMax) throw tooManyBytes(commit, bytes, limits.commitBytesMax, 'A commit');
    // A server closes the connection of a client that sends too much.
    const room = (this.#options.connection.info?.max_payload ?? limits.natsPayloadBytesMax) - headerBytes;
    const most = room - commitMessageId(commit).length;
    if (bytes > most) throw tooManyBytes(commit, bytes, most, 'A commit on this NATS server (max_payload)');
  }
}

function tooManyEvents({ stream, version, events }: Commit): PouwError {
  return new PouwError('commit_too_large', `Commit ${stream}@${version} has ${events.length} events.`, {
    class: 'too-large',
    why: `A commit has at most ${limits.commitEventsMax} events.`,
    hint: 'Split the command into several commits.',
  });
}

function tooManyBytes({ stream, version }: Commit, bytes: number, most: number, what: string): PouwError {
  return new PouwError('commit_too_large', `Commit ${stream}@${version} has ${bytes} bytes.`, {
    class: 'too-large',
    why: `${what} has at most ${most} bytes.`,
    hint: 'Put large content into the content store and its hash into the event.',
  });
}

function tooManyWrites(): PouwError {
  return new PouwError('log_busy', `More than ${limits.storePendingWritesMax} writes wait for the event log.`, {
    class: 'busy',
    why: 'Writes come in faster than the NATS servers take them.',
    hint: 'Try again in a moment.',
  });
}
