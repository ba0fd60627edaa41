import type { AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { explore, foldPath, shortestPaths, simplePaths, stuckStates } from '../test/actors/machine-walk.ts';
import { allEvents, boundedEvents } from '../test/actors/samples/table.ts';
import { canonicalJson } from '../src/core/canonical-json.ts';
import { compileFold } from '../src/core/fold.ts';
import { machines, type MachineName } from './machines.ts';

/** Where an actor has nothing more to do, or from where it goes on for ever. */
const goals: Readonly<Record<MachineName, readonly string[]>> = {
  session: ['closed'],
  task: ['settled', 'refunded'],
  miner: ['drained'],
  job: ['done', 'cancelled', 'failed'],
  validator: ['drained'],
  validation: ['attested', 'closed', 'failed'],
  hearing: ['attested', 'closed', 'failed'],
  oracle: ['idle'],
  watch: ['ended'],
  router: ['draining'],
  client: ['active'],
  contract: ['closed', 'failed'],
  network: ['off'],
  round: ['ended', 'failed'],
};

/** Machines that hand most of their events on to the machine inside: that one is walked by itself. */
const outer: ReadonlySet<MachineName> = new Set(['session', 'miner', 'validator', 'oracle', 'client', 'network']);

const walks = Object.entries(boundedEvents).flatMap(([name, sets]) =>
  sets.map((events, index) => ({
    name: name as MachineName,
    walk: index + 1,
    events,
    machine: machines[name as MachineName] as AnyStateMachine,
  })),
);
const found = new Map(walks.map(({ name, walk, machine, events }) => [`${name} ${walk}`, explore(machine, events)]));

describe('every path through', () => {
  test.each(walks)('$name (walk $walk) leads to a state that the compiled fold reaches too', ({ machine, events }) => {
    for (const path of shortestPaths(machine, events)) {
      expect(foldPath(machine, path.events)).toEqual(path.states);
    }
  });

  test.each(walks)(
    '$name (walk $walk) is made of steps that the compiled fold takes as well',
    ({ name, walk, machine }) => {
      const { states, edges } = found.get(`${name} ${walk}`)!;
      const fold = compileFold<unknown>(machine);
      const stateOf = new Map(states.map(({ key }) => [key, JSON.parse(key) as typeof fold.initial]));
      expect(edges.length).toBeGreaterThanOrEqual(states.length - 1);
      // A path is a row of steps: where each leads to the same state, every path does, however long.
      const others = edges.filter(({ from, event, to }) => {
        const { state } = fold.step(stateOf.get(from)!, event);
        return canonicalJson(state) !== to;
      });
      expect(others).toEqual([]);
    },
  );

  test.each(walks)('$name (walk $walk) can still be walked to its end', ({ name, walk }) => {
    expect(stuckStates(found.get(`${name} ${walk}`)!, goals[name])).toEqual([]);
  });

  test.each(['job', 'validation'] as const)('%s that visits no state twice', (name) => {
    const machine = machines[name] as AnyStateMachine;
    const all = simplePaths(machine, allEvents[name]);
    expect(all.length).toBeGreaterThanOrEqual(8);
    for (const path of all) expect(foldPath(machine, path.events)).toEqual(path.states);
  });
});

describe('the walks leave nothing out:', () => {
  const names = Object.keys(machines) as MachineName[];

  test.each(names)('every state of %s', (name) => {
    const reached = walks
      .filter((one) => one.name === name)
      .flatMap(({ walk }) => found.get(`${name} ${walk}`)!.states.map(({ value }) => value));
    expect([...new Set(reached)].toSorted()).toEqual(
      Object.keys((machines[name] as AnyStateMachine).states).toSorted(),
    );
  });

  test.each(names.filter((name) => !outer.has(name)))('every transition of %s', (name) => {
    const machine = machines[name] as AnyStateMachine;
    const fold = compileFold<unknown>(machine);
    const taken = new Set<string>();
    for (const { walk } of walks.filter((one) => one.name === name)) {
      for (const { key } of found.get(`${name} ${walk}`)!.states) {
        const state = JSON.parse(key) as typeof fold.initial;
        for (const event of allEvents[name])
          if (fold.step(state, event).handled) taken.add(`${state.value} ${event.type}`);
      }
    }
    const declared = Object.entries(machine.states).flatMap(([state, node]) =>
      node.ownEvents.map((event) => `${state} ${event}`),
    );
    expect([...taken].toSorted()).toEqual(declared.toSorted());
  });
});
