import type { Event } from '../core/commit.ts';
import type { Effect } from '../core/effect.ts';
import type { Fold, Folded } from '../core/fold.ts';

/** A state after several events, and the effects they ask for. */
export interface FoldedEvents {
  readonly state: Folded<unknown>;
  readonly effects: readonly Effect[];
}

/** Folds the events of one decision; the first that the machine does not take is named instead. */
export function foldEvents(
  fold: Fold<unknown>,
  from: Folded<unknown>,
  events: readonly Event[],
): FoldedEvents | { readonly refused: Event } {
  let state = from;
  const effects: Effect[] = [];
  for (const event of events) {
    const step = fold.step(state, event);
    if (!step.handled) return { refused: event };
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}
