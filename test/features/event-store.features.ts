import { appendFeatures } from './event-store.append.features.ts';
import type { EventStoreHarness } from './event-store.harness.ts';
import { readFeatures } from './event-store.read.features.ts';
import { subscribeFeatures } from './event-store.subscribe.features.ts';
import { type Feature, testFeatures } from './feature.ts';

/** What an event store promises. */
export const eventStoreFeatureList: readonly Feature<EventStoreHarness>[] = [
  ...appendFeatures,
  ...readFeatures,
  ...subscribeFeatures,
];

/** The contract of the EventStore port. */
export function eventStoreFeatures(name: string, make: () => Promise<EventStoreHarness>): void {
  testFeatures('event store', name, eventStoreFeatureList, make);
}
