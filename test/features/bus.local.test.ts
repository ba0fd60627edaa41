import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { busFeatures } from './bus.features.ts';

busFeatures('in process', async () => {
  const errors: unknown[] = [];
  const bus = createLocalBus({ onError: (error) => void errors.push(error) });
  return { bus, errors, patienceMs: 5_000, close: () => bus.drain() };
});
