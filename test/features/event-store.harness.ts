import { expect } from 'vitest';
import type { Commit } from '../../src/core/commit.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Disposable } from './feature.ts';

/** A fresh store, and what a feature needs beside it. */
export interface EventStoreHarness extends Disposable {
  readonly store: EventStore;
  /** Closes the store and opens it again on what it has stored. */
  reopen(): Promise<EventStore>;
  /** How long a feature waits for what must come, in milliseconds. */
  readonly patienceMs: number;
}

/** Everything an iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Appends commits one after the other; each must be stored. */
export async function appendAll(store: EventStore, commits: readonly Commit[]): Promise<void> {
  for (const commit of commits) expect((await store.append(commit)).outcome).toBe('stored');
}
