import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import type { StoredCommit } from '../../../ports/event-store.ts';
import { CommitFollower, type CommitFollowerOptions } from '../../log/commit-follower.ts';
import type { Judged } from './admission.ts';
import { logGap } from './nats-errors.ts';
import type { StoredMessage } from './stored-commit.ts';

/** What a {@link LogFollower} is made of. */
export interface LogFollowerOptions extends CommitFollowerOptions {
  readonly log: string;
  /** The next messages from a position on, in order and without gaps; none where there are no more yet. */
  readonly readPage: (fromPosition: number) => Promise<readonly StoredMessage[]>;
  /** What of them counts. */
  readonly judge: (page: readonly StoredMessage[]) => Promise<readonly Judged[]>;
  /** The hash of what is at a position now; undefined where there is none any more. */
  readonly hashAt: (position: number) => Promise<string | undefined>;
  /** Told why the log cannot be followed any more. */
  readonly onLost: (error: unknown) => void;
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
  /** The newest message handed over or passed over. */
  #last: { readonly position: number; readonly hash: string } | undefined;
  #isDoubtful = false;
  /** Why it cannot go on just now; undefined where it can. */
  trouble: unknown;

  constructor(options: LogFollowerOptions) {
    super(options);
    this.#options = options;
  }

  /** The position of what was read last; 0 before anything was. */
  get lastPosition(): number {
    return this.#last?.position ?? 0;
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
      this.trouble = undefined;
      if (page.length > 0) await this.#handle(page);
      else if (this.#options.toldPosition() >= this.next) await sleep(lagPauseMs);
      else await this.untilWoken();
    } catch (error) {
      if (errorCode(error) !== 'log_unreachable') {
        if (!this.isClosed) this.#options.onLost(error);
        throw error;
      }
      this.trouble = error;
      // An outage ends some time; until then it is said each time the patience of a request is over.
      if (!this.isClosed) this.onError(error);
    }
  }

  async #handle(page: readonly StoredMessage[]): Promise<void> {
    const judged = await this.#options.judge(page);
    for (let from = 0; from < judged.length && !this.isClosed; from += limits.storePageCommitsMax) {
      // Others have the event loop from time to time.
      await nextTurn();
      await this.handOver(this.#commitsIn(judged.slice(from, from + limits.storePageCommitsMax)));
    }
    // What does not count at the end of the page was handed to nobody.
    const last = judged.at(-1);
    if (last !== undefined && !this.isClosed) this.next = last.position + 1;
  }

  *#commitsIn(page: readonly Judged[]): Iterable<StoredCommit> {
    for (const judged of page) {
      const { position } = judged;
      this.#last = { position, hash: 'refused' in judged ? judged.refused : judged.commit.hash };
      if (!('refused' in judged)) yield judged;
    }
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
