import { assign, setup } from 'xstate';
import type { Event } from '../../../src/core/commit.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../../src/core/decision.ts';
import type { Effect } from '../../../src/core/effect.ts';
import { compileFold, type Folded } from '../../../src/core/fold.ts';
import type { ActorDefinition } from '../../../src/runtime/actor.ts';

/** What the jar remembers. */
export type JarContext = { readonly coins: number; readonly alarmAt: number | null; readonly rung: number };
type JarEvent =
  | { type: 'CoinsPut'; count: number }
  | { type: 'CoinsTaken'; count: number }
  | { type: 'AlarmSet'; at: number }
  | { type: 'AlarmRang' };
/** Commands to the jar. */
export type JarCommand =
  | { readonly type: 'Put'; readonly count: number }
  | { readonly type: 'Take'; readonly count: number }
  | { readonly type: 'SetAlarm'; readonly at: number }
  | { readonly type: 'Ring' }
  /** Asks for an event the machine does not take: a programmer's mistake. */
  | { readonly type: 'Break' };

const as = <T extends JarEvent['type']>(event: JarEvent): Extract<JarEvent, { type: T }> =>
  event as Extract<JarEvent, { type: T }>;

/** The smallest actor that has everything the runtime deals with: it exists for the runtime's own tests. */
export const jarMachine = setup({
  types: { context: {} as JarContext, events: {} as JarEvent },
  guards: { holdsEnough: ({ context, event }) => context.coins >= as<'CoinsTaken'>(event).count },
  actions: {
    put: assign(({ context, event }) => ({ coins: context.coins + as<'CoinsPut'>(event).count })),
    take: assign(({ context, event }) => ({ coins: context.coins - as<'CoinsTaken'>(event).count })),
    setAlarm: assign(({ event }) => ({ alarmAt: as<'AlarmSet'>(event).at })),
    ring: assign(({ context }) => ({ alarmAt: null, rung: context.rung + 1 })),
    tell: (_: unknown, _effects: readonly Effect[]): void => {},
  },
}).createMachine({
  id: 'jar',
  context: { coins: 0, alarmAt: null, rung: 0 },
  initial: 'empty',
  states: {
    empty: {
      on: {
        CoinsPut: {
          target: 'filled',
          actions: [
            'put',
            {
              type: 'tell',
              params: ({ event }): readonly Effect[] => [{ kind: 'tell', count: as<'CoinsPut'>(event).count }],
            },
          ],
        },
      },
    },
    filled: {
      on: {
        CoinsPut: {
          actions: [
            'put',
            {
              type: 'tell',
              params: ({ event }): readonly Effect[] => [{ kind: 'tell', count: as<'CoinsPut'>(event).count }],
            },
          ],
        },
        CoinsTaken: { guard: 'holdsEnough', actions: 'take' },
        AlarmSet: { actions: 'setAlarm' },
        AlarmRang: { actions: 'ring' },
      },
    },
  },
});

function decide({ context, value }: Folded<JarContext>, command: JarCommand, env: Env): Decision<Event> {
  switch (command.type) {
    case 'Put':
      return command.count > 0 ? accept({ type: 'CoinsPut', count: command.count }) : unchanged;
    case 'Take':
      return context.coins >= command.count
        ? accept({ type: 'CoinsTaken', count: command.count })
        : reject('jar_short', `The jar holds ${context.coins}.`);
    case 'SetAlarm':
      return value === 'filled'
        ? accept({ type: 'AlarmSet', at: command.at })
        : reject('jar_empty', 'An empty jar has no alarm.');
    case 'Ring':
      return context.alarmAt !== null && context.alarmAt <= env.now ? accept({ type: 'AlarmRang' }) : unchanged;
    case 'Break':
      return accept({ type: 'NeverHeardOf' });
  }
}

/** The jar as an actor. Its streams are named like a miner's, for want of a kind of its own. */
export const jarActor: ActorDefinition<JarContext, JarCommand> = {
  kind: 'miner',
  machineVersion: 1,
  fold: compileFold<JarContext>(jarMachine),
  decide,
  timers: ({ context }) => (context.alarmAt === null ? [] : [{ id: 'alarm', at: context.alarmAt }]),
  timerCommand: () => ({ type: 'Ring' }),
};
