import { type Event, newerVersion } from './commit.ts';
import type { Effect } from './effect.ts';
import { eventsOf, type StoredEvents } from './stored-events.ts';

/** What folds stored events: an actor's `fold` is one. */
export interface CommitFold<State> {
  step(state: State, event: Event): { readonly state: State; readonly effects?: readonly Effect[] };
  /** Whether it has a meaning for events of a type; a fold without it takes all. */
  readonly knows?: (type: string) => boolean;
}

/**
 * Folds a stored commit. An event of a type that the fold does not know is not passed over: a newer pouw wrote it, and
 * the state without it would be another one than there.
 *
 * @throws PouwError `log_newer_version`.
 */
export function foldCommit<State>(
  fold: CommitFold<State>,
  from: State,
  commit: StoredEvents,
): { readonly state: State; readonly effects: readonly Effect[] } {
  let state = from;
  const effects: Effect[] = [];
  for (const event of eventsOf(commit)) {
    if (fold.knows?.(event.type) === false)
      throw newerVersion(commit, `an event ${event.type}, which this pouw does not know`);
    const step = fold.step(state, event);
    state = step.state;
    if (step.effects !== undefined) effects.push(...step.effects);
  }
  return { state, effects };
}
