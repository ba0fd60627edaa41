import { afterAll } from 'vitest';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { openSqliteEventStore } from '../../src/adapters/local/sqlite-event-store.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createPromMetrics } from '../../src/adapters/metrics/prom-metrics.ts';
import { openOtlpTracer } from '../../src/adapters/otlp/otlp-tracer.ts';
import { createRecordedInference, type Recording } from '../../src/adapters/recorded/recorded-inference.ts';
import { meterBus } from '../../src/operations/metered-bus.ts';
import { meterContent } from '../../src/operations/metered-content.ts';
import { meterInference } from '../../src/operations/metered-inference.ts';
import { meterLeases } from '../../src/operations/metered-leases.ts';
import { meterStore } from '../../src/operations/metered-store.ts';
import { traceBus } from '../../src/operations/traced-bus.ts';
import { traceInference } from '../../src/operations/traced-inference.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { busFeatures } from './bus.features.ts';
import { contentStoreFeatures } from './content-store.features.ts';
import { eventStoreFeatures } from './event-store.features.ts';
import { inferenceFeatures } from './inference.features.ts';
import { question } from './inference-requests.ts';
import { leasesFeatures } from './leases.features.ts';
import { localStoresHarness } from './local-stores-harness.ts';
import { scratchDirectory } from './scratch-directory.ts';

// Who stands behind meters and tracers must not notice: the contracts of the ports hold for what they are wrapped in.
const metrics = createPromMetrics();
const tracer = openOtlpTracer({ endpoint: 'http://127.0.0.1:9', ratio: 0, version: 'test' });
afterAll(() => tracer.close());

busFeatures('metered and traced', async () => {
  const errors: unknown[] = [];
  const bus = createLocalBus({ onError: (error) => void errors.push(error) });
  return { bus: traceBus(meterBus(bus, metrics), tracer), errors, patienceMs: 5_000, close: () => bus.drain() };
});

eventStoreFeatures('metered', async () => {
  const directory = scratchDirectory();
  const open = () => openSqliteEventStore({ path: directory.file('log.sqlite'), onError: () => undefined });
  let store = open();
  return {
    store: meterStore(store, metrics),
    patienceMs: 5_000,
    reopen: async () => {
      await store.close();
      store = open();
      return meterStore(store, metrics);
    },
    close: async () => {
      await store.close();
      directory.remove();
    },
  };
});

leasesFeatures('metered', async () => {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const harness = localStoresHarness({ clock });
  return {
    leases: meterLeases(harness.stores.leases, metrics, clock),
    pass: (ms) => clock.advance(ms),
    reopen: async () => meterLeases((await harness.reopen()).leases, metrics, clock),
    close: () => harness.close(),
  };
});

contentStoreFeatures('metered', async () => meterContent(await createHeliaContentStore(), metrics));

const recording: Recording = {
  prompt: question,
  promptTokens: 7,
  tokens: Array.from({ length: 14 }, (_, id) => ({ id: 100 + id, text: `word${id} ` })),
  finishReason: 'stop',
};

inferenceFeatures('metered and traced', async () => {
  const recorded = createRecordedInference({ recordings: [recording], tokenDelayMs: 2 });
  const inference = traceInference(meterInference(recorded, metrics), tracer, systemClock);
  return {
    inference,
    chatModel: 'recorded-chat',
    embeddingModel: 'recorded-embed',
    tokenIds: { ids: [99, 97, 102, 195, 169], text: 'café' },
  };
});
