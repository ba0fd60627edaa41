import { effectJournalFeatures } from './effect-journal.features.ts';
import { localStoresHarness } from './local-stores-harness.ts';

effectJournalFeatures('node:sqlite', async () => {
  const harness = localStoresHarness();
  const { journal, cursors, events } = harness.stores;
  return { journal, cursors, events, reopen: () => harness.reopen(), close: () => harness.close() };
});
