import { assert } from './assert.ts';
import { type Commit, commitFormat, type Event, refuseNewerFormat } from './commit.ts';
import { withWholeTerms } from './session-terms.ts';

/** Brings an event of one format into the shape of the next format; one that is the same in both is returned as it is. */
export type Upcast = (event: Event) => Event;

/** What is read of a stored commit. */
export type StoredEvents = Pick<Commit, 'v' | 'stream' | 'version' | 'events'>;

/**
 * Makes a reader of stored events. A commit's format counts its envelope and the shapes of all its events together, so
 * that one number, which the commit's hash covers, says how everything in it is to be read.
 *
 * @param format the newest format that is read.
 * @param upcasts one step per older format: the first from format 1 to 2, the next from 2 to 3, and so on.
 * @returns the events of a commit in the shape of `format`; throws PouwError `log_newer_version`.
 */
export function eventReader(format: number, upcasts: readonly Upcast[]): (commit: StoredEvents) => readonly Event[] {
  assert(upcasts.length === format - 1, 'every older format has its step');
  return (commit) => {
    refuseNewerFormat(commit, format);
    const steps = upcasts.slice(commit.v - 1);
    return steps.length === 0 ? commit.events : commit.events.map((event) => brought(event, steps));
  };
}

function brought(event: Event, steps: readonly Upcast[]): Event {
  return steps.reduce((older, step) => step(older), event);
}

/**
 * The events of a stored commit as today's folds take them: the one way from what was written to what is folded.
 * Whoever changes the shape of an event raises `commitFormat` and adds the step from the format before. Format 2
 * has more terms of a session than format 1.
 *
 * @throws PouwError `log_newer_version`.
 */
export const eventsOf = eventReader(commitFormat, [withWholeTerms]);
