import type { LogMark } from '../../core/log-mark.ts';
import type { Cursors, EffectJournal } from '../../ports/effect-journal.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Snapshots } from '../../ports/snapshots.ts';
import { createLocalLeases } from './local-leases.ts';
import { createSqliteCursors } from './sqlite-cursors.ts';
import { openSqliteDatabase, type SqliteDatabaseOptions } from './sqlite-database.ts';
import { createSqliteEffectJournal } from './sqlite-effect-journal.ts';
import { SqliteEventStore } from './sqlite-event-store.ts';
import { createSqliteSnapshots } from './sqlite-snapshots.ts';

/** Everything a node keeps, in one database. */
export interface LocalStores {
  readonly events: EventStore;
  readonly snapshots: Snapshots;
  readonly journal: EffectJournal;
  readonly cursors: Cursors;
  readonly leases: Leases;
  /** How far the log is on the disk, for files beside it; undefined before its first commit. */
  mark(): LogMark | undefined;
  /** Why the last write failed, and none has succeeded since; undefined where it did not fail. */
  failure(): unknown;
  /** Throws the {@link failure}, where there is one. */
  requireWritten(): void;
  /** Makes everything durable, the writes that may lag too. */
  flush(): Promise<void>;
  /** Ends the subscriptions, makes everything durable and closes the database. */
  close(): Promise<void>;
}

/**
 * Opens the stores of a node over one database.
 *
 * @example
 * const directory = openDataDir('/var/lib/pouw');
 * const stores = openLocalStores({ path: directory.logPath });
 * await stores.events.append(commit);
 * await stores.close();
 * directory.close();
 * @throws PouwError `data_dir_in_use`, `data_dir_unwritable`, `log_corrupt`, `log_newer_version`.
 */
export function openLocalStores(options: SqliteDatabaseOptions): LocalStores {
  const database = openSqliteDatabase(options);
  const events = new SqliteEventStore(database);
  const cursors = createSqliteCursors(database);
  return {
    events,
    snapshots: createSqliteSnapshots(database),
    journal: createSqliteEffectJournal(database),
    cursors,
    leases: createLocalLeases({ clock: database.clock, cursors, highestUsed: () => highestFence(events) }),
    mark: () => events.mark,
    failure: () => database.writes.failure?.error,
    requireWritten: () => {
      const { failure } = database.writes;
      if (failure !== undefined) throw failure.error;
    },
    flush: () => database.writes.flush(),
    close: async () => {
      await events.close();
      await database.close();
    },
  };
}

/** A fence never falls along a stream, so its newest commit has its highest one. */
async function highestFence(events: EventStore): Promise<number> {
  let highest = 0;
  for await (const { stream, version } of events.heads()) {
    for await (const { commit } of events.read(stream, { fromVersion: version })) {
      highest = Math.max(highest, commit.fence ?? 0);
    }
  }
  return highest;
}
