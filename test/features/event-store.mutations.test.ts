import { afterEach } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/local/sqlite-event-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { eventStoreFeatureList } from './event-store.features.ts';
import { eventStoreMutations } from './event-store.mutations.ts';
import { testMutations } from './feature.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

const directories: ScratchDirectory[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) directory.remove();
});

testMutations('event store', eventStoreFeatureList, eventStoreMutations, async (mutate) => {
  const directory = scratchDirectory();
  directories.push(directory);
  const open = (): EventStore => openSqliteEventStore({ path: directory.file('log.sqlite'), onError: () => undefined });
  let store = open();
  return {
    store: mutate(store),
    // What a broken store never does is not waited for as long as what a good one may be slow with.
    patienceMs: 300,
    reopen: async () => {
      await store.close();
      store = open();
      return mutate(store);
    },
    close: () => store.close(),
  };
});
