import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { leasesFeatures } from './leases.features.ts';
import { localStoresHarness } from './local-stores-harness.ts';

leasesFeatures('in process', async () => {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const harness = localStoresHarness({ clock });
  return {
    leases: harness.stores.leases,
    pass: (ms) => clock.advance(ms),
    reopen: async () => (await harness.reopen()).leases,
    close: () => harness.close(),
  };
});
