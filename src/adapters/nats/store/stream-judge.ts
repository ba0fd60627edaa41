import { type Commit, genesisHash } from '../../../core/commit.ts';
import type { StreamId } from '../../../core/ids.ts';
import type { StreamHead } from '../../../ports/event-store.ts';
import { Admission, type AdmissionOptions, type Judged, type JudgedHead } from './admission.ts';
import { logGap } from './nats-errors.ts';
import { orderHash, type StoredMessage } from './stored-commit.ts';

/** Tells a reader what of a stream, or of the log, counts. */
export interface StreamJudge {
  /** Whether a message that is taken for a commit may yet be one that does not follow those before it. */
  readonly mayStray: boolean;
  /** The newest commit of a stream that counts, given the newest message of its subject; version 0 for none. */
  head(stream: StreamId, newest: StoredMessage): Promise<JudgedHead>;
  /** The commit in a message of a stream whose head was asked for; undefined where it does not count. */
  commitIn(message: StoredMessage): Commit | undefined;
  /** What of a page of the whole log counts. */
  take(page: readonly StoredMessage[]): Promise<Judged[]>;
  /** The heads of all streams, once the log was judged up to a position. */
  heads(position: number): Promise<StreamHead[]>;
  /** Notes a commit that this process has appended. */
  stored(position: number, hash: string): void;
  /** Whether the message at a position counts; left out where that cannot be told. */
  readonly counts?: (position: number) => Promise<boolean>;
}

/** The judge of whoever reads the whole log. */
export class LogJudge implements StreamJudge {
  readonly mayStray = false;
  readonly #log: string;
  readonly #admission: Admission;

  constructor(log: string, options: AdmissionOptions) {
    this.#log = log;
    this.#admission = new Admission(options);
  }

  async head(stream: StreamId, newest: StoredMessage): Promise<JudgedHead> {
    await this.#admission.upTo(newest.position);
    const head = this.#admission.head(stream);
    if (this.#admission.isRefused(newest.position)) return head ?? none(stream);
    // A log that lost its last writes and got others in their place is not the one that was judged.
    if (head !== undefined && head.position === newest.position && head.hash === orderHash(newest)) return head;
    if (head !== undefined && head.position > newest.position) return head;
    const why = `At position ${newest.position} is another commit of ${stream} than the one that was read there.`;
    throw logGap(this.#log, why, { stream, position: newest.position });
  }

  commitIn(message: StoredMessage): Commit | undefined {
    return this.#admission.commitAt(message);
  }

  take(page: readonly StoredMessage[]): Promise<Judged[]> {
    return this.#admission.take(page);
  }

  async heads(position: number): Promise<StreamHead[]> {
    await this.#admission.upTo(position);
    return this.#admission.heads();
  }

  readonly counts = async (position: number): Promise<boolean> => {
    await this.#admission.upTo(position);
    return !this.#admission.isRefused(position);
  };

  stored(position: number, hash: string): void {
    this.#admission.stored(position, hash);
  }
}

function none(stream: StreamId): JudgedHead {
  return { stream, version: 0, hash: genesisHash, position: 0 };
}
