import type { StoredCommit } from '../../ports/event-store.ts';
import { CommitFollower, type CommitFollowerOptions } from '../log/commit-follower.ts';

/** What a {@link StoreSubscription} is made of. */
export interface StoreSubscriptionOptions extends CommitFollowerOptions {
  /** The next commits from a position on, in order; none where there are no more yet. */
  readonly readPage: (fromPosition: number) => StoredCommit[];
  /** Lets others have the event loop. */
  readonly turn: () => Promise<void>;
}

/** Follows the log in the database. */
export class StoreSubscription extends CommitFollower {
  readonly #options: StoreSubscriptionOptions;

  constructor(options: StoreSubscriptionOptions) {
    super(options);
    this.#options = options;
  }

  protected override begin(): Promise<void> {
    return this.#options.turn();
  }

  protected override async step(): Promise<void> {
    const page = this.#options.readPage(this.next);
    if (page.length === 0) return this.untilWoken();
    await this.handOver(page);
    if (!this.isClosed) await this.#options.turn();
  }
}
