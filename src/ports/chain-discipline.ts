import type { Address } from '../core/ids.ts';

/** A transaction about what was slashed, or about a node that may not work any longer. */
export type DisciplineCall =
  /** Takes what the sender has earned by proving faults. */
  | { readonly call: 'withdrawReward' }
  /** Sends the treasury its part of what was slashed. Anyone may. */
  | { readonly call: 'sweepSlashed' }
  /** Stops a node that could not go to work now: its stake is too low, or it lacks an authorisation. Anyone may. */
  | { readonly call: 'stopUnfit'; readonly node: Address };
