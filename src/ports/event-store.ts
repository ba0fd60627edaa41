import type { Commit } from '../core/commit.ts';
import type { StreamId } from '../core/ids.ts';

/** A commit with its place in the store's total order. */
export interface StoredCommit {
  /** 1 for the store's first commit; grows by one each, never reused. */
  readonly position: number;
  readonly commit: Commit;
  /**
   * What lies between the commit before and this one and does not count, where others may write to the store: one hash
   * for each position, in order. Left out where there is none.
   */
  readonly passed?: readonly string[];
}

/** The newest commit of a stream. */
export interface StreamHead {
  readonly stream: StreamId;
  readonly version: number;
  readonly hash: string;
  readonly position: number;
}

/** What became of an append. A `conflict` or `duplicate` has changed nothing. */
export type AppendResult =
  | { readonly outcome: 'stored'; readonly position: number }
  /** The very same commit (stream, version and hash) is there already. */
  | { readonly outcome: 'duplicate'; readonly position: number }
  /** Another commit has this version, or versions are missing before it. */
  | { readonly outcome: 'conflict'; readonly version: number };

/** A running subscription; `close` resolves when no handler runs any more. */
export interface Subscription {
  close(): Promise<void>;
}

/**
 * The log. Appends are compare-and-swap on a stream's version (`commit.version - 1` must be the stream's
 * version), durable when the promise resolves, all or nothing. `test/features/event-store.features.ts` is
 * its contract.
 */
export interface EventStore {
  /** @throws PouwError `commit_too_large` beyond `limits.commitBytesMax` or `limits.commitEventsMax`. */
  append(commit: Commit): Promise<AppendResult>;
  /** A stream's commits in order, `fromVersion` (default 1) included, up to `toVersion` included. */
  read(stream: StreamId, options?: { fromVersion?: number; toVersion?: number }): AsyncIterable<StoredCommit>;
  /** All commits in the store's order, `fromPosition` (default 1) included. */
  readAll(options?: { fromPosition?: number }): AsyncIterable<StoredCommit>;
  /** All commits from `fromPosition` on and then every new one, each exactly once and in order. */
  subscribe(fromPosition: number, handler: (stored: StoredCommit) => void | Promise<void>): Subscription;
  /** The head of a stream, undefined where there is none. */
  head(stream: StreamId): Promise<StreamHead | undefined>;
  /** The heads of all streams, in order of stream id. */
  heads(): AsyncIterable<StreamHead>;
  close(): Promise<void>;
}
