import { type LocalStores, openLocalStores } from '../../src/adapters/local/local-stores.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { scratchDirectory } from './scratch-directory.ts';

/** The embedded stores in a directory of their own, and how to open them again. */
export interface LocalStoresHarness {
  readonly stores: LocalStores;
  reopen(): Promise<LocalStores>;
  close(): Promise<void>;
}

/** Opens the embedded stores for one test. */
export function localStoresHarness(options: { clock?: Clock } = {}): LocalStoresHarness {
  const directory = scratchDirectory();
  const open = (): LocalStores => openLocalStores({ path: directory.file('log.sqlite'), ...options });
  let stores = open();
  return {
    stores,
    reopen: async () => {
      await stores.close();
      stores = open();
      return stores;
    },
    close: async () => {
      await stores.close();
      directory.remove();
    },
  };
}
