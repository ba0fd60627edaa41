import type { BusHarness } from './bus.harness.ts';
import { headerFeatures } from './bus.headers.features.ts';
import { publishFeatures } from './bus.publish.features.ts';
import { requestFeatures } from './bus.request.features.ts';
import { subscribeFeatures } from './bus.subscribe.features.ts';
import { type Feature, testFeatures } from './feature.ts';

/** What a bus promises. */
export const busFeatureList: readonly Feature<BusHarness>[] = [
  ...publishFeatures,
  ...subscribeFeatures,
  ...requestFeatures,
  ...headerFeatures,
];

/** The contract of the Bus port. */
export function busFeatures(name: string, make: () => Promise<BusHarness>): void {
  testFeatures('bus', name, busFeatureList, make);
}
