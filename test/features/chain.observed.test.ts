import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createPromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { errorCode } from '../../src/core/errors.ts';
import { meterChain } from '../../src/operations/metered-chain.ts';
import { traceChain } from '../../src/operations/traced-chain.ts';
import { watchChain } from '../../src/operations/watched-chain.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { silentTracer } from '../../src/ports/tracer.ts';
import { readMetrics, sumOf } from '../kit/prometheus.ts';
import { followingFeatures } from './chain.following.features.ts';
import { type ChainHarness, listen } from './chain.harness.ts';
import { startLocalChain } from './chain.local-chain.ts';
import { eventually, testFeatures } from './feature.ts';

const metrics = createPromMetrics();

function observed(chain: Chain): Chain {
  return traceChain(meterChain(watchChain(chain).chain, metrics), silentTracer, systemClock);
}

// Whoever follows the chain through meters and tracers must not notice them.
testFeatures('chain', 'watched, metered and traced', followingFeatures, async (): Promise<ChainHarness> => {
  const harness = await startLocalChain();
  return { ...harness, chain: observed(harness.chain), reopen: async () => observed(await harness.reopen()) };
});

test('a watched chain says that it cannot be reached, until it can again', async () => {
  const harness = await startLocalChain();
  const { chain, check } = watchChain(harness.chain);
  const heard = listen(meterChain(chain, metrics));
  const state = async (): Promise<string> => {
    try {
      await check(new AbortController().signal);
      return 'ok';
    } catch (error) {
      return errorCode(error);
    }
  };
  const up = async (): Promise<number> => sumOf(readMetrics(await metrics.text()), 'pouw_chain_up');
  await eventually('the first facts', () => heard.facts.length > 0, harness.patienceMs);
  expect([await state(), await up()]).toEqual(['ok', 1]);
  await harness.stopNode();
  await expect.poll(state, { timeout: harness.patienceMs }).toBe('chain_unreachable');
  expect([await up(), heard.outages]).toEqual([0, ['down']]);
  await harness.startNode();
  await expect.poll(state, { timeout: harness.patienceMs }).toBe('ok');
  expect([await up(), heard.outages]).toEqual([1, ['down', 'up']]);
  await heard.subscription.close();
  await harness.close();
});
