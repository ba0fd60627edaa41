import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createPromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { silentTracer } from '../../src/ports/tracer.ts';
import { meterChain } from '../../src/operations/metered-chain.ts';
import { traceChain } from '../../src/operations/traced-chain.ts';
import { watchChain } from '../../src/operations/watched-chain.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { followingFeatures } from './chain.following.features.ts';
import type { ChainHarness } from './chain.harness.ts';
import { startLocalChain } from './chain.local-chain.ts';
import { testFeatures } from './feature.ts';

const metrics = createPromMetrics();

function observed(chain: Chain): Chain {
  return traceChain(meterChain(watchChain(chain).chain, metrics), silentTracer, systemClock);
}

// Whoever follows the chain through meters and tracers must not notice them.
testFeatures('chain', 'watched, metered and traced', followingFeatures, async (): Promise<ChainHarness> => {
  const harness = await startLocalChain();
  return { ...harness, chain: observed(harness.chain), reopen: async () => observed(await harness.reopen()) };
});
