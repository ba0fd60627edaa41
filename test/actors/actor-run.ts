import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { Event } from '../../src/core/commit.ts';
import type { Rejection } from '../../src/core/decision.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Fold, Folded } from '../../src/core/fold.ts';
import type { ActorDefinition } from '../../src/runtime/actor.ts';
import { bytes32, genesisAt } from './chain-facts.ts';

/** What a command led to. */
export interface Told {
  readonly events: readonly Event[];
  readonly effects: readonly Effect[];
  readonly rejection: Rejection | undefined;
}

/** An event that the fold does not take, or a state that is not plain JSON: a bug of the actor. */
export class ActorFault extends Error {}

/** Applies events; each must be one that the fold takes. */
export function foldEvents<Context>(fold: Fold<Context>, from: Folded<Context>, events: readonly Event[]) {
  const effects: Effect[] = [];
  let state = from;
  for (const event of events) {
    const step = fold.step(state, event);
    if (!step.handled) throw new ActorFault(`${event.type} is not handled in ${state.value}`);
    effects.push(...step.effects);
    state = step.state;
  }
  return { state, effects };
}

function assertPlainJson(state: Folded<unknown>): void {
  if (canonicalJson(JSON.parse(JSON.stringify(state))) !== canonicalJson(state))
    throw new ActorFault('the state is not plain JSON');
}

/** An actor in memory: what a host does, without log, effects and clock. */
export class ActorRun<Context, Command> {
  readonly #actor: ActorDefinition<Context, Command>;
  state: Folded<Context>;
  /** Milliseconds since 1970, as decisions see it. */
  now = genesisAt;
  /** Whether every state is held to be plain JSON; off for long runs at a bound, where that would take most of the time. */
  checksJson = true;
  #draws = 0;

  constructor(actor: ActorDefinition<Context, Command>, history: readonly Event[] = []) {
    this.#actor = actor;
    this.state = foldEvents(actor.fold, actor.fold.initial, history).state;
    assertPlainJson(this.state);
  }

  /** Decides a command and folds what follows. A refused command changes nothing. */
  tell(command: Command): Told {
    this.#draws += 1;
    const decision = this.#actor.decide(this.state, command, { now: this.now, random: bytes32(this.#draws) });
    if (!decision.ok) return { events: [], effects: [], rejection: decision.rejection };
    const { state, effects } = foldEvents(this.#actor.fold, this.state, decision.events);
    if (this.checksJson) assertPlainJson(state);
    this.state = state;
    return { events: decision.events, effects, rejection: undefined };
  }

  /** The names of the events that a command leads to. */
  types(command: Command): string[] {
    return this.tell(command).events.map(({ type }) => type);
  }

  timers() {
    return this.#actor.timers(this.state).toSorted((a, b) => a.at - b.at);
  }

  /** Moves the clock and fires what is due, once. */
  advanceTo(now: number): Told[] {
    this.now = now;
    const due = this.timers().filter(({ at }) => at <= now);
    return due.map((timer) => this.tell(this.#actor.timerCommand(timer)));
  }
}
