import type { EventStore } from '../ports/event-store.ts';
import type { Metrics } from '../ports/metrics.ts';
import { decorate } from './decorate.ts';

/** What the meter of a store may be told beside the store. */
export interface MeteredStoreOptions {
  /** The newest position of the whole log, where a process does not see everybody's commits by itself. */
  readonly head?: () => Promise<number>;
}

/**
 * A log that measures its appends, and how far its readers are behind its head. The head is the newest position that
 * this process has stored or been told of, or what `head` says.
 */
export function meterStore(store: EventStore, metrics: Metrics, { head }: MeteredStoreOptions = {}): EventStore {
  let newest = 0;
  /** The position each subscription has applied. */
  const applied = new Map<object, number>();
  metrics.onCollect(async () => {
    newest = Math.max(newest, (await head?.()) ?? 0);
    const slowest = Math.min(newest, ...applied.values());
    metrics.set('pouw_log_head_position', {}, newest);
    metrics.set('pouw_log_applied_position', {}, slowest);
    metrics.set('pouw_log_lag_commits', {}, newest - slowest);
  });
  return decorate(store, {
    append: async (commit) => {
      const seconds = metrics.timer();
      let outcome = 'failed';
      try {
        const result = await store.append(commit);
        outcome = result.outcome;
        if (result.outcome !== 'conflict') newest = Math.max(newest, result.position);
        if (result.outcome === 'stored') metrics.add('pouw_store_events_total', {}, commit.events.length);
        return result;
      } finally {
        metrics.observe('pouw_store_append_duration_seconds', { outcome }, seconds());
      }
    },
    subscribe: (fromPosition, handler) => {
      const reader = {};
      applied.set(reader, fromPosition - 1);
      newest = Math.max(newest, fromPosition - 1);
      const subscription = store.subscribe(fromPosition, async (stored) => {
        newest = Math.max(newest, stored.position);
        await handler(stored);
        applied.set(reader, stored.position);
      });
      return {
        close: async () => {
          applied.delete(reader);
          await subscription.close();
        },
      };
    },
  });
}
