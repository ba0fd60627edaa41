import type { Event } from './commit.ts';
import type { Effect } from './effect.ts';

/** The implementation of every effect action of a machine: it does nothing, its params are the effects, as data. */
export const effectAction = (_: unknown, _effects: readonly Effect[]): void => {};

/** What a list of effects is made from: the context before the transition's next action, and the event. */
export interface Seen<Context, E> {
  readonly context: Context;
  readonly event: E;
}

/** Ties the effect action named `type` to the pure function that lists its effects. */
export function effects<Name extends string, Context, E extends Event>(
  type: Name,
  list: (seen: Seen<Context, E>) => readonly Effect[],
) {
  return {
    type,
    params: ({ context, event }: { context: Context; event: Event }): readonly Effect[] =>
      list({ context, event: event as E }),
  };
}
