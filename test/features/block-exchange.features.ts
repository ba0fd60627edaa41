import { boundFeatures } from './block-exchange.bounds.features.ts';
import { findingFeatures } from './block-exchange.finding.features.ts';
import type { BlockExchangeHarness } from './block-exchange.harness.ts';
import { strangerFeatures } from './block-exchange.strangers.features.ts';
import { testFeatures } from './feature.ts';

/** The contract of an exchange of blocks; `make` gives a bus with nobody on it each time. */
export function blockExchangeFeatures(adapter: string, make: () => Promise<BlockExchangeHarness>): void {
  testFeatures('block exchange', adapter, [...findingFeatures, ...strangerFeatures, ...boundFeatures], make);
}
