import { allowanceFeatures } from './chain.allowances.features.ts';
import { appealFeatures } from './chain.appeals.features.ts';
import { followingFeatures } from './chain.following.features.ts';
import type { ChainHarness } from './chain.harness.ts';
import { readingFeatures } from './chain.reading.features.ts';
import { reservationFeatures } from './chain.reservations.features.ts';
import { sendingFeatures } from './chain.sending.features.ts';
import { sessionChangeFeatures } from './chain.session-changes.features.ts';
import { useFeatures } from './chain.use.features.ts';
import { type Feature, testFeatures } from './feature.ts';

/** What a chain promises. */
export const chainFeatureList: readonly Feature<ChainHarness>[] = [
  ...sendingFeatures,
  ...readingFeatures,
  ...appealFeatures,
  ...allowanceFeatures,
  ...useFeatures,
  ...sessionChangeFeatures,
  ...reservationFeatures,
  ...followingFeatures,
];

/** The contract of the Chain port. */
export function chainFeatures(name: string, make: () => Promise<ChainHarness>): void {
  testFeatures('chain', name, chainFeatureList, make);
}
