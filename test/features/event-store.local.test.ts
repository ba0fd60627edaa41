import { openSqliteEventStore } from '../../src/adapters/local/sqlite-event-store.ts';
import { eventStoreFeatures } from './event-store.features.ts';
import type { EventStoreHarness } from './event-store.harness.ts';
import { scratchDirectory } from './scratch-directory.ts';

/** The embedded store in a file of its own; handlers that throw on purpose make no noise. */
async function make(): Promise<EventStoreHarness> {
  const directory = scratchDirectory();
  const open = (): ReturnType<typeof openSqliteEventStore> =>
    openSqliteEventStore({ path: directory.file('log.sqlite'), onError: () => undefined });
  let store = open();
  return {
    store,
    patienceMs: 5_000,
    reopen: async () => {
      await store.close();
      store = open();
      return store;
    },
    close: async () => {
      await store.close();
      directory.remove();
    },
  };
}

eventStoreFeatures('node:sqlite', make);
