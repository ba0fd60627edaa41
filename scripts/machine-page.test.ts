import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { machines } from '../actors/machines.ts';
import { diagramOf, machinesPage, tableOf } from './machine-page.ts';

const door = setup({
  types: { context: {} as { opened: number }, events: {} as { type: 'OPENED' | 'SHUT' | 'KNOCKED' | 'BROKEN' } },
  guards: { isUnlocked: () => true },
  actions: { count: assign(({ context }) => ({ opened: context.opened + 1 })) },
}).createMachine({
  id: 'door',
  context: { opened: 0 },
  initial: 'shut',
  states: {
    shut: {
      on: {
        OPENED: { guard: 'isUnlocked', target: 'open', actions: 'count' },
        KNOCKED: { actions: 'count' },
        BROKEN: { target: 'gone' },
      },
    },
    open: { on: { SHUT: { target: 'shut' }, BROKEN: { target: 'gone' } } },
    gone: {},
  },
});

describe('the page on machines', () => {
  test('draws what changes a state, with guards, beginning and end', () => {
    expect(diagramOf(door).split('\n')).toEqual([
      'stateDiagram-v2',
      '  [*] --> shut',
      '  shut --> open : OPENED [isUnlocked]',
      '  shut --> gone : BROKEN',
      '  open --> shut : SHUT',
      '  open --> gone : BROKEN',
      '  gone --> [*]',
    ]);
  });

  test('lists every transition, those that stay too', () => {
    expect(tableOf(door).split('\n').slice(2)).toEqual([
      '| shut | `OPENED` | isUnlocked | open | count |',
      '| shut | `KNOCKED` |  |  | count |',
      '| shut | `BROKEN` |  | gone |  |',
      '| open | `SHUT` |  | shut |  |',
      '| open | `BROKEN` |  | gone |  |',
    ]);
  });

  test('names every state and event of every machine', () => {
    const page = machinesPage(machines);
    for (const [name, machine] of Object.entries(machines)) {
      const section = page.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
      for (const word of [...Object.keys(machine.states), ...machine.events]) expect(section).toContain(word);
    }
  });

  test('in docs/ is what the machines say now', () => {
    const written = readFileSync(new URL('../docs/machines.md', import.meta.url), 'utf8');
    expect(written, 'run `npm run diagrams`').toBe(machinesPage(machines));
  });
});
