import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createNatsBus } from '../../src/adapters/nats/bus/nats-bus.ts';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { Bus } from '../../src/ports/bus.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { busFeatureList, busFeatures } from './bus.features.ts';
import type { BusHarness } from './bus.harness.ts';
import { busMutations } from './bus.mutations.ts';
import { testMutations } from './feature.ts';

const nats = sharedNatsServer();

async function makeBus(patienceMs: number, mutate: (bus: Bus) => Bus = (bus) => bus): Promise<BusHarness> {
  const link = await connectNats({ servers: (await nats()).url, name: 'test' });
  const errors: unknown[] = [];
  const bus = createNatsBus({ link, clock: systemClock, onError: (error) => void errors.push(error) });
  const close = async (): Promise<void> => {
    await bus.drain();
    await link.close();
  };
  return { bus: mutate(bus), errors, patienceMs, close };
}

busFeatures('NATS', () => makeBus(10_000));

testMutations('bus', busFeatureList, busMutations, (mutate) => makeBus(400, mutate));
