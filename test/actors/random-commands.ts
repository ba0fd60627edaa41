import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { errorClasses } from '../../src/core/errors.ts';
import type { Event } from '../../src/core/commit.ts';
import { foldBySpec } from '../../src/core/fold.ts';
import { limits } from '../../src/core/limits.ts';
import type { ActorDefinition } from '../../src/runtime/actor.ts';
import { ActorFault, ActorRun, foldEvents, type Told } from './actor-run.ts';

type Said = { readonly type: string };

/** One moment of a random run: what was said, what it led to, and the state before. */
export interface Moment<Context, Command> {
  readonly command: Command;
  readonly told: Told;
  readonly before: ActorRun<Context, Command>['state'];
  readonly now: number;
}

/** What random commands are said to an actor, and what has to hold after each. */
export interface RandomRuns<Context, Command extends Said, Wanted, Expected> {
  readonly actor: ActorDefinition<Context, Command>;
  readonly machine: AnyStateMachine;
  /** Said before what is random, in most runs. */
  readonly opening: readonly Command[];
  readonly wanted: fc.Arbitrary<Wanted>;
  /** The command that is wanted in the state as it is, told in a block; undefined where there is none. */
  readonly commandFor: (
    run: ActorRun<Context, Command>,
    wanted: Wanted,
    inBlock: number,
    expected: Expected,
  ) => Command | undefined;
  /** Whether a command says something new each time, so that it leads to something again. */
  readonly isNewEachTime?: (command: Command) => boolean;
  /** What the test itself reckons of the run, from nothing. */
  readonly expected: () => Expected;
  /** Goes on with the reckoning; what has to hold after the command, by name. */
  readonly check: (
    run: ActorRun<Context, Command>,
    moment: Moment<Context, Command>,
    expected: Expected,
  ) => Readonly<Record<string, boolean>>;
  /** What a state has reached, beside events, refusals and the machine's own state: those of the machines inside. */
  readonly marks: (context: Context) => readonly string[];
  readonly numRuns: number;
  readonly seed: number;
}

/** In how many runs something was reached, by its name. */
export class Reached {
  readonly #runs = new Map<string, number>();
  readonly #numRuns: number;
  /** How many runs have come to their end. */
  runs = 0;

  constructor(numRuns: number) {
    this.#numRuns = numRuns;
  }

  add(marks: ReadonlySet<string>): void {
    this.runs += 1;
    for (const mark of marks) this.#runs.set(mark, (this.#runs.get(mark) ?? 0) + 1);
  }

  /** The names after a prefix such as `event:`, sorted. */
  names(prefix: string): string[] {
    const found = [...this.#runs.keys()].filter((mark) => mark.startsWith(prefix));
    return found.map((mark) => mark.slice(prefix.length)).toSorted();
  }

  /** Those of some marks that less than a share of the runs has reached, and in how many it was. */
  rarerThan(share: number, marks: readonly string[]): string[] {
    const rare = marks.filter((mark) => (this.#runs.get(mark) ?? 0) < share * this.#numRuns);
    return rare.map((mark) => `${mark} in ${this.#runs.get(mark) ?? 0} of ${this.#numRuns} runs`);
  }
}

/** Bounds what actors remember more narrowly while the tests of a file run, so that short runs come to the bounds. */
export function withSmallLimits(small: Partial<Record<keyof typeof limits, number>>): void {
  const before = { ...limits };
  beforeAll(() => void Object.assign(limits, small));
  afterAll(() => void Object.assign(limits, before));
}

/** Without vitest's `expect`, which would take most of the time of a million checks. */
function hold(checks: Readonly<Record<string, boolean>>): void {
  for (const [name, holds] of Object.entries(checks)) if (!holds) throw new ActorFault(`does not hold: ${name}`);
}

const codes = /^[a-z]+(_[a-z]+)*$/;

function isDefinite({ rejection }: Told): boolean {
  if (rejection === undefined) return true;
  return codes.test(rejection.code) && errorClasses.includes(rejection.class) && rejection.message !== '';
}

/**
 * Drives random commands through an actor's decision and its fold. A throw, an event that the fold does not take and a
 * state that is not plain JSON fail the run, and so does a command that is said again and leads to something once more.
 * At the end the state must be that of all events from the start, by the fold and by xstate's own transitions, and the
 * same commands at the same times must lead there again.
 */
export function driveRandomCommands<Context, Command extends Said, Wanted, Expected>(
  random: RandomRuns<Context, Command, Wanted, Expected>,
): Reached {
  const { actor, machine, numRuns, seed } = random;
  const reached = new Reached(numRuns);
  const spec = foldBySpec<Context>(machine);
  // What fails is shrunk by leaving steps out.
  const step = fc.option(fc.tuple(random.wanted, fc.nat(4_000), fc.boolean()), { nil: undefined, freq: 50 });
  const sequences = fc.array(step, { minLength: 60, maxLength: 120, size: 'max' });
  const property = fc.property(sequences, fc.nat(15), (sequence, opening) => {
    const run = new ActorRun<Context, Command>(actor);
    run.checksJson = false;
    const history: Event[] = [];
    const said: (readonly [now: number, command: Command])[] = [];
    const marks = new Set<string>();
    const expected = random.expected();
    const say = (command: Command): Told => {
      const before = run.state;
      const told = run.tell(command);
      said.push([run.now, command]);
      history.push(...told.events);
      hold({
        'a refusal has a code, a class and a reason': isDefinite(told),
        'the state is one of the machine': run.state.value in machine.states,
        ...random.check(run, { command, told, before, now: run.now }, expected),
      });
      if (told.rejection !== undefined) marks.add(`refusal:${told.rejection.code}`);
      for (const { type } of told.events) marks.add(`event:${type}`);
      for (const { kind } of told.effects) marks.add(`effect:${kind}`);
      marks.add(`state:${run.state.value}`);
      for (const mark of random.marks(run.state.context)) marks.add(mark);
      return told;
    };
    // One run in sixteen begins with an actor that nobody has started.
    if (opening > 0) for (const first of random.opening) say(first);
    for (const [index, one] of sequence.entries()) {
      if (one === undefined) continue;
      const [wanted, waitMs, isSaidAgain] = one;
      run.now += waitMs;
      const command = random.commandFor(run, wanted, 40 + index, expected);
      if (command === undefined) continue;
      say(command);
      if (isSaidAgain && random.isNewEachTime?.(command) !== true)
        hold({ 'what is said again changes nothing': say(command).events.length === 0 });
    }
    reached.add(marks);
    expectReplayed(run, actor, history, said);
    expect(foldEvents(spec, spec.initial, history).state).toEqual(run.state);
  });
  fc.assert(property, { numRuns, seed });
  return reached;
}

function expectReplayed<Context, Command>(
  { state }: ActorRun<Context, Command>,
  actor: ActorDefinition<Context, Command>,
  history: readonly Event[],
  said: readonly (readonly [now: number, command: Command])[],
): void {
  // What is read back from a log has been JSON.
  expect(new ActorRun(actor, JSON.parse(JSON.stringify(history)) as Event[]).state).toEqual(state);
  const again = new ActorRun<Context, Command>(actor);
  again.checksJson = false;
  for (const [now, command] of said) {
    again.now = now;
    again.tell(command);
  }
  expect(again.state).toEqual(state);
}
