import type { Address } from '../core/ids.ts';

/** A transaction about what miners count to the capacity of a model, against which its use is measured. Anyone may. */
export type MarketCall =
  /** Counts an active miner that serves the model by the registry. */
  | { readonly call: 'countMiner'; readonly model: string; readonly miner: Address }
  /** Strikes one that is no longer active, or no longer serves it. */
  | { readonly call: 'strikeMiner'; readonly model: string; readonly miner: Address };

/** What is to change in the capacity of a model. */
export interface Capacity {
  /** False where no session was ever opened for the model: then nobody can be counted. */
  readonly isKnown: boolean;
  /** Miners that count now. */
  readonly counted: readonly Address[];
  /** Those that are active, serve the model, and do not count yet. */
  readonly missing: readonly Address[];
  /** Those that count and should not. */
  readonly stale: readonly Address[];
}
