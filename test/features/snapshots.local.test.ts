import { localStoresHarness } from './local-stores-harness.ts';
import { snapshotsFeatures } from './snapshots.features.ts';

snapshotsFeatures('node:sqlite', async () => {
  const harness = localStoresHarness();
  return {
    snapshots: harness.stores.snapshots,
    reopen: async () => (await harness.reopen()).snapshots,
    close: () => harness.close(),
  };
});
