import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, assign, setup } from 'xstate';
import { machines } from '../../actors/machines.ts';
import { allEvents } from '../../test/actors/samples/table.ts';
import { effectAction, effects } from './effect-action.ts';
import { compileFold, foldBySpec } from './fold.ts';

const all = Object.entries(machines).map(([name, machine]) => ({ name: name as keyof typeof machines, machine }));

describe('the compiled fold', () => {
  test.each(all)('is what xstate says for $name, whatever the order of events', ({ name, machine }) => {
    const compiled = compileFold<unknown>(machine);
    const spec = foldBySpec<unknown>(machine);
    const events = allEvents[name];
    expect(compiled.initial).toEqual(spec.initial);
    fc.assert(
      fc.property(fc.array(fc.nat(events.length - 1), { maxLength: 40 }), (order) => {
        let state = compiled.initial;
        for (const index of order) {
          const event = events[index]!;
          const step = compiled.step(state, event);
          expect(step).toEqual(spec.step(state, event));
          state = step.state;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('leaves the state it was given as it was', () => {
    const fold = compileFold<unknown>(machines.task);
    const before = JSON.stringify(fold.initial);
    fold.step(fold.initial, allEvents.task[0]!);
    expect(JSON.stringify(fold.initial)).toBe(before);
  });

  test('returns the same state object for an event that is not handled', () => {
    const fold = compileFold<unknown>(machines.task);
    const step = fold.step(fold.initial, { type: 'Unknown' });
    expect(step).toEqual({ state: fold.initial, effects: [], handled: false });
    expect(step.state).toBe(fold.initial);
  });
});

describe('a machine that cannot be a fold crashes at start', () => {
  const base = setup({
    types: { context: {} as { n: number }, events: {} as { type: 'GO' } },
    actions: { count: assign(({ context }) => ({ n: context.n + 1 })), send: effectAction },
    guards: { yes: () => true },
    delays: { soon: 1 },
  });
  const list = effects('send', () => [{ kind: 'sent' }]);

  test('a pure one does not, and takes guards, assigns and effects in order', () => {
    const machine = base.createMachine({
      id: 'pure',
      context: { n: 0 },
      initial: 'a',
      states: { a: { on: { GO: { guard: 'yes', target: 'b', actions: ['count', list, 'count'] } } }, b: {} },
    });
    expect(compileFold(machine).step({ value: 'a', context: { n: 1 } }, { type: 'GO' })).toEqual({
      state: { value: 'b', context: { n: 3 } },
      effects: [{ kind: 'sent' }],
      handled: true,
    });
  });

  const impure = {
    'a delayed transition': { a: { after: { soon: 'b' } }, b: {} },
    'an eventless transition': { a: { always: 'b' }, b: {} },
    'an entry action': { a: { entry: 'count' }, b: {} },
    'an exit action': { a: { exit: 'count' }, b: {} },
    'nested states': { a: { initial: 'c', states: { c: {} } }, b: {} },
  } as const;
  test.each(Object.entries(impure))('%s', (_, states) => {
    const machine: unknown = base.createMachine({
      id: 'impure',
      context: { n: 0 },
      initial: 'a',
      states: states as never,
    });
    expect(() => compileFold(machine as AnyStateMachine)).toThrow(/impure/);
  });

  test('an inline guard or action', () => {
    const guarded: unknown = base.createMachine({
      id: 'inline',
      context: { n: 0 },
      initial: 'a',
      states: { a: { on: { GO: { guard: () => true } } } },
    });
    expect(() => compileFold(guarded as AnyStateMachine)).toThrow(/inline/);
  });

  test('an effect action without its effects', () => {
    const bare = base.createMachine({
      id: 'bare',
      context: { n: 0 },
      initial: 'a',
      states: { a: { on: { GO: { actions: { type: 'send', params: [] as never } } } } },
    });
    expect(() => compileFold(bare)).toThrow(/takes its effects as params/);
  });
});
