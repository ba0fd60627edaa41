import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { busFeatureList } from './bus.features.ts';
import { busMutations } from './bus.mutations.ts';
import { testMutations } from './feature.ts';

testMutations('bus', busFeatureList, busMutations, async (mutate) => {
  const errors: unknown[] = [];
  const bus = createLocalBus({ onError: (error) => void errors.push(error) });
  // What a broken bus never does is not waited for as long as what a good one may be slow with.
  return { bus: mutate(bus), errors, patienceMs: 200, close: () => bus.drain() };
});
