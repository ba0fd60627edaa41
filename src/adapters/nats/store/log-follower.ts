import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../../core/errors.ts';
import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { Recent } from '../../../core/recent.ts';
import type { StoredCommit } from '../../../ports/event-store.ts';
import { CommitFollower, type CommitFollowerOptions } from '../../log/commit-follower.ts';
import { logCorrupt, logGap } from './nats-errors.ts';
import type { StoredMessage } from './stored-commit.ts';

/** What a {@link LogFollower} is made of. */
export interface LogFollowerOptions extends CommitFollowerOptions {
  readonly log: string;
  /** The next commits from a position on, in order and without gaps; none where there are no more yet. */
  readonly readPage: (fromPosition: number) => Promise<readonly StoredMessage[]>;
  /** The commit in one of them. */
  readonly commitIn: (message: StoredMessage) => StoredCommit;
  /** The hash of the commit at a position now; undefined where there is none any more. */
  readonly hashAt: (position: number) => Promise<string | undefined>;
  /** The highest position that was told to be stored. */
  readonly toldPosition: () => number;
}

/** How long a page is waited for that was told of and that the asked replica does not have yet. */
const lagPauseMs = 5;

/**
 * Follows the log on the servers. What wakes it may be lost or come twice without harm, so there is no state on the
 * server that a reconnect or a restart could take away.
 */
export class LogFollower extends CommitFollower {
  readonly #options: LogFollowerOptions;
  /** Where the streams seen last stand. */
  readonly #streams = new Recent<StreamId, { readonly version: number; readonly hash: string }>(
    limits.storeHeadsCachedMax,
  );
  /** The newest commit handed over. */
  #last: { readonly position: number; readonly hash: string } | undefined;
  #isDoubtful = false;

  constructor(options: LogFollowerOptions) {
    super(options);
    this.#options = options;
  }

  /** Says that commits may have been lost: what was handed over last is compared with what is stored. */
  doubt(): void {
    this.#isDoubtful = true;
    this.wake();
  }

  /** The first page comes from the servers: the caller is through by then. */
  protected override begin(): Promise<void> {
    return Promise.resolve();
  }

  protected override async step(): Promise<void> {
    try {
      if (this.#isDoubtful) await this.#checkLast();
      const page = await this.#options.readPage(this.next);
      if (page.length > 0) await this.#handle(page);
      else if (this.#options.toldPosition() >= this.next) await sleep(lagPauseMs);
      else await this.untilWoken();
    } catch (error) {
      if (errorCode(error) !== 'log_unreachable') throw error;
      // An outage ends some time; until then it is said each time the patience of a request is over.
      if (!this.isClosed) this.onError(error);
    }
  }

  async #handle(page: readonly StoredMessage[]): Promise<void> {
    for (let from = 0; from < page.length && !this.isClosed; from += limits.storePageCommitsMax) {
      // Others have the event loop from time to time.
      await nextTurn();
      await this.handOver(this.#commitsIn(page.slice(from, from + limits.storePageCommitsMax)));
    }
  }

  *#commitsIn(messages: readonly StoredMessage[]): Iterable<StoredCommit> {
    for (const message of messages) {
      const stored = this.#options.commitIn(message);
      this.#requireNext(stored);
      this.#last = { position: stored.position, hash: stored.commit.hash };
      yield stored;
    }
  }

  /** Whether a commit follows the one of its stream that was seen before, where that is still known. */
  #requireNext({ position, commit: { stream, version, prev, hash } }: StoredCommit): void {
    const before = this.#streams.get(stream);
    this.#streams.set(stream, { version, hash });
    if (before === undefined || (version === before.version + 1 && prev === before.hash)) return;
    const why = `At position ${position}, ${stream}@${version} follows version ${before.version}.`;
    const details = { stream, version, position };
    throw version > before.version + 1
      ? logGap(this.#options.log, why, details)
      : logCorrupt(this.#options.log, why, { details });
  }

  /** A server that lost its last writes gives their positions to others: then this follower is ahead of the log. */
  async #checkLast(): Promise<void> {
    const last = this.#last;
    if (last !== undefined && (await this.#options.hashAt(last.position)) !== last.hash) {
      const why = `The commit ${last.hash} that was at position ${last.position} is not there any more.`;
      throw logGap(this.#options.log, why, { position: last.position, hash: last.hash });
    }
    this.#isDoubtful = false;
  }
}
