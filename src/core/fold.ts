import { type AnyStateMachine, initialTransition, transition } from 'xstate';
import { assert } from './assert.ts';
import type { Event } from './commit.ts';
import type { Effect } from './effect.ts';

/** The folded state of an actor: the machine's state name and its context. Plain JSON. */
export interface Folded<Context> {
  readonly value: string;
  readonly context: Context;
}

/** What one event does: the next state and the effects it asks for. */
export interface FoldStep<Context> {
  readonly state: Folded<Context>;
  readonly effects: readonly Effect[];
  /** False where the machine has no transition for the event in this state: nothing has changed. */
  readonly handled: boolean;
}

/** A machine as a pure function over events. */
export interface Fold<Context> {
  /** The state before the first event. */
  readonly initial: Folded<Context>;
  /** Applies one event. */
  step(state: Folded<Context>, event: Event): FoldStep<Context>;
  /** Whether the machine takes events of a type, in whatever state. */
  readonly knows: (type: string) => boolean;
}

interface Args {
  readonly context: unknown;
  readonly event: Event;
}
type Guard = (args: Args, params: unknown) => boolean;
type Assignment = (args: Args, params: unknown) => Record<string, unknown>;

interface CompiledAction {
  readonly assignment: Assignment | undefined;
  readonly params: unknown;
}

interface CompiledTransition {
  readonly guard: Guard | undefined;
  readonly guardParams: unknown;
  readonly actions: readonly CompiledAction[];
  readonly target: string | undefined;
}

type Table = ReadonlyMap<string, ReadonlyMap<string, readonly CompiledTransition[]>>;

const noEffects: readonly Effect[] = [];

/**
 * Compiles a machine into a table, an order of magnitude faster than `transition()`, which builds an
 * actor per call. The machine must be flat and pure: no `after`, `invoke`, `always`, entry or exit
 * actions, nested or parallel states; anything else crashes here, at start. `foldBySpec` is the
 * reference it is tested against.
 */
export function compileFold<Context>(machine: AnyStateMachine): Fold<Context> {
  const table = compileTable(machine);
  const initial = initialOf<Context>(machine);
  return {
    initial,
    knows: knownTypes(machine),
    step(state, event) {
      const transitions = table.get(state.value)?.get(event.type);
      if (transitions === undefined) return { state, effects: noEffects, handled: false };
      for (const candidate of transitions) {
        if (candidate.guard !== undefined) {
          const args = { context: state.context, event };
          if (!candidate.guard(args, resolveParams(candidate.guardParams, args))) continue;
        }
        return take(candidate, state, event);
      }
      return { state, effects: noEffects, handled: false };
    },
  };
}

function take<Context>(chosen: CompiledTransition, state: Folded<Context>, event: Event): FoldStep<Context> {
  let context = state.context;
  let effects: Effect[] | undefined;
  for (const action of chosen.actions) {
    const args = { context, event };
    const params = resolveParams(action.params, args);
    if (action.assignment !== undefined) {
      context = { ...context, ...action.assignment(args, params) };
    } else {
      effects ??= [];
      effects.push(...(params as readonly Effect[]));
    }
  }
  return { state: { value: chosen.target ?? state.value, context }, effects: effects ?? noEffects, handled: true };
}

function resolveParams(params: unknown, args: Args): unknown {
  return typeof params === 'function' ? (params as (args: Args) => unknown)(args) : params;
}

/**
 * The same fold by xstate's own `transition()`: the specification of {@link compileFold}, and what tests
 * hold it against.
 */
export function foldBySpec<Context>(machine: AnyStateMachine): Fold<Context> {
  return {
    initial: initialOf<Context>(machine),
    knows: knownTypes(machine),
    step(state, event) {
      const snapshot = machine.resolveState({ value: state.value, context: state.context });
      const handled = snapshot.can(event);
      const [next, actions] = transition(machine, snapshot, event);
      const effects = actions.flatMap((action) => (action.params ?? []) as unknown as readonly Effect[]);
      return { state: { value: next.value as string, context: next.context as Context }, effects, handled };
    },
  };
}

function knownTypes(machine: AnyStateMachine): (type: string) => boolean {
  const types: ReadonlySet<string> = new Set(machine.events);
  return (type) => types.has(type);
}

function initialOf<Context>(machine: AnyStateMachine): Folded<Context> {
  const [snapshot, actions] = initialTransition(machine);
  assert(actions.length === 0, `${machine.id}: an event-sourced machine has no initial actions`);
  return { value: snapshot.value as string, context: snapshot.context as Context };
}

function compileTable(machine: AnyStateMachine): Table {
  const table = new Map<string, Map<string, CompiledTransition[]>>();
  const root = machine.root;
  assertPure(machine, root);
  for (const [name, node] of Object.entries(machine.states)) {
    assertPure(machine, node);
    assert(Object.keys(node.states).length === 0, `${machine.id}.${name}: states are flat`);
    const byEvent = new Map<string, CompiledTransition[]>();
    for (const source of [node, root]) {
      for (const [type, transitions] of source.transitions) {
        const compiled = transitions.map((one: RawTransition) => compileTransition(machine, one));
        byEvent.set(type, [...(byEvent.get(type) ?? []), ...compiled]);
      }
    }
    table.set(name, byEvent);
  }
  return table;
}

type RawTransition = AnyStateMachine['root']['transitions'] extends Map<string, (infer T)[]> ? T : never;

function assertPure(machine: AnyStateMachine, node: AnyStateMachine['root']): void {
  const impure =
    node.entry.length > 0 ||
    node.exit.length > 0 ||
    node.invoke.length > 0 ||
    node.after.length > 0 ||
    (node.always?.length ?? 0) > 0 ||
    node.type === 'parallel';
  assert(!impure, `${machine.id}: ${node.key} uses entry, exit, invoke, after, always or parallel states`);
}

function compileTransition(machine: AnyStateMachine, raw: RawTransition): CompiledTransition {
  const target = raw.target?.[0];
  const guard = raw.guard as undefined | string | { type: string; params?: unknown };
  return {
    target: target?.key,
    guard: guard === undefined ? undefined : named<Guard>(machine, 'guards', guard),
    guardParams: typeof guard === 'object' ? guard.params : undefined,
    actions: raw.actions.map((action) => compileAction(machine, action as string | { type: string; params?: unknown })),
  };
}

function compileAction(machine: AnyStateMachine, action: string | { type: string; params?: unknown }): CompiledAction {
  const implementation = named<{ assignment?: Assignment }>(machine, 'actions', action);
  const params = typeof action === 'object' ? action.params : undefined;
  if (implementation.assignment === undefined) {
    assert(typeof params === 'function', `${machine.id}: an effect action takes its effects as params`);
  } else {
    assert(typeof implementation.assignment === 'function', `${machine.id}: assign takes a function`);
  }
  return { assignment: implementation.assignment, params };
}

function named<T>(machine: AnyStateMachine, kind: 'guards' | 'actions', reference: string | { type: string }): T {
  const name = typeof reference === 'string' ? reference : reference.type;
  assert(typeof name === 'string', `${machine.id}: ${kind} are named in setup, never inline`);
  const implementation = machine.implementations[kind]?.[name];
  assert(implementation !== undefined, `${machine.id}: no ${kind} named ${name}`);
  return implementation as T;
}
