import type { AnyStateMachine } from 'xstate';
import { getAdjacencyMap, getShortestPaths, getSimplePaths } from 'xstate/graph';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { Event } from '../../src/core/commit.ts';
import { compileFold, type Folded } from '../../src/core/fold.ts';

interface Snapshot {
  readonly value: unknown;
  readonly context: unknown;
}

/** A path through a machine: the events and the state after each. */
export interface Path {
  readonly events: readonly Event[];
  readonly states: readonly Folded<unknown>[];
}

const folded = ({ value, context }: Snapshot): Folded<unknown> => ({ value: String(value), context });
const serializeState = (snapshot: Snapshot): string => canonicalJson(folded(snapshot));

function optionsOf(events: readonly Event[]) {
  // A walk over more than this many states is not bounded as it was meant to be.
  return { events: [...events], serializeState, serializeEvent: canonicalJson, limit: 50_000 } as never;
}

/** All that xstate's own exploration finds: states, and which event leads from where to where. */
export function explore(machine: AnyStateMachine, events: readonly Event[]) {
  const map = getAdjacencyMap(machine, optionsOf(events)) as unknown as Record<
    string,
    { state: Snapshot; transitions: Record<string, { event: Event; state: Snapshot }> }
  >;
  const edges = Object.entries(map).flatMap(([from, { state, transitions }]) =>
    Object.values(transitions).map(({ event, state: next }) => ({
      from,
      event,
      to: serializeState(next),
      fromValue: String(state.value),
      toValue: String(next.value),
    })),
  );
  return { states: Object.entries(map).map(([key, { state }]) => ({ key, value: String(state.value) })), edges };
}

function paths(found: readonly { steps: readonly { event: unknown; state: unknown }[] }[]): Path[] {
  return found.map(({ steps }) => {
    const taken = steps.filter(({ event }) => (event as Event).type !== 'xstate.init');
    return {
      events: taken.map(({ event }) => event as Event),
      states: taken.map(({ state }) => folded(state as Snapshot)),
    };
  });
}

/** The shortest path to every state that the events can lead to. */
export function shortestPaths(machine: AnyStateMachine, events: readonly Event[]): Path[] {
  return paths(getShortestPaths(machine, optionsOf(events)));
}

/** Every path that visits no state twice; for machines with few states. */
export function simplePaths(machine: AnyStateMachine, events: readonly Event[]): Path[] {
  return paths(getSimplePaths(machine, optionsOf(events)));
}

/** Folds a path with the compiled fold; the states it goes through. */
export function foldPath(machine: AnyStateMachine, events: readonly Event[]): Folded<unknown>[] {
  const fold = compileFold<unknown>(machine);
  let state = fold.initial;
  return events.map((event) => (state = fold.step(state, event).state));
}

/** The states from which none of `goals` can be reached: an actor would be stuck there. */
export function stuckStates({ states, edges }: ReturnType<typeof explore>, goals: readonly string[]): string[] {
  const before = new Map<string, string[]>();
  for (const { from, to } of edges) before.set(to, [...(before.get(to) ?? []), from]);
  const reached = new Set(states.filter(({ value }) => goals.includes(value)).map(({ key }) => key));
  for (const key of reached) for (const from of before.get(key) ?? []) reached.add(from);
  return states.filter(({ key }) => !reached.has(key)).map(({ key }) => key);
}
