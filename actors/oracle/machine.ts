import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import type { Address } from '../../src/core/ids.ts';
import { emptyOracle, type OracleContext } from './context.ts';
import { type OracleEvent, watchEventTypes } from './events.ts';
import { leavesIdle, watchEffects, watchesAfter, watchTakes } from './watches.ts';

/** Goes up when the fold of an oracle or of its watches changes in a way that old snapshots cannot follow. */
export const oracleMachineVersion = 2;

type Of<Type extends OracleEvent['type']> = Extract<OracleEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends OracleEvent['type']>(event: OracleEvent): Of<Type> => event as Of<Type>;

function withOracle(
  context: OracleContext,
  oracle: Address,
  active: boolean,
): Pick<OracleContext, 'oracles' | 'active'> {
  const others = context.active.filter((other) => other !== oracle);
  return {
    oracles: { ...context.oracles, [oracle]: active },
    active: active ? [...others, oracle].toSorted() : others,
  };
}

const oracleSetup = setup({
  types: { context: {} as OracleContext, events: {} as OracleEvent },
  guards: {
    watchTakes: ({ context, event }) => watchTakes(context, event),
    watchTakesAndLeavesIdle: ({ context, event }) => watchTakes(context, event) && leavesIdle(context, event),
  },
  actions: {
    configure: assign(({ event }) => {
      const { oracle, sliceMs } = as<'OracleStarted'>(event);
      return { oracle, sliceMs };
    }),
    admit: assign(({ context, event }) => withOracle(context, as<'OracleJoined'>(event).oracle, true)),
    dismiss: assign(({ context, event }) => withOracle(context, as<'OracleLeft'>(event).oracle, false)),
    rememberTerms: assign(({ context, event }) => {
      const { session, timeouts } = as<'SessionTermsSeen'>(event);
      return { sessions: { ...context.sessions, [session]: timeouts } };
    }),
    forgetSession: assign(({ context, event }) => {
      const { [as<'SessionForgotten'>(event).session]: _, ...sessions } = context.sessions;
      return { sessions };
    }),
    foldWatch: assign(({ context, event }) => watchesAfter(context, event)),
    runWatchEffects: effectAction,
  },
});

const step = [
  effects('runWatchEffects', ({ context, event }: { context: OracleContext; event: OracleEvent }) =>
    watchEffects(context, event),
  ),
  'foldWatch',
] as const;
const takes = [
  { guard: 'watchTakesAndLeavesIdle', target: 'idle', actions: step },
  { guard: 'watchTakes', actions: step },
] as const;
const watches = Object.fromEntries(watchEventTypes.map((type) => [type, takes])) as Record<
  (typeof watchEventTypes)[number],
  typeof takes
>;
const book = {
  OracleJoined: { actions: 'admit' },
  OracleLeft: { actions: 'dismiss' },
  SessionTermsSeen: { actions: 'rememberTerms' },
  SessionForgotten: { actions: 'forgetSession' },
} as const;

/** An oracle with the tasks it watches inside. Used as a fold over events. */
export const oracleMachine = oracleSetup.createMachine({
  id: 'oracle',
  context: emptyOracle,
  initial: 'offline',
  states: {
    offline: { on: { OracleStarted: { target: 'idle', actions: 'configure' } } },
    idle: {
      on: {
        ...book,
        OracleStarted: { actions: 'configure' },
        WatchStarted: { guard: 'watchTakes', target: 'watching', actions: step },
      },
    },
    watching: { on: { ...book, ...watches, OracleStarted: { actions: 'configure' } } },
  },
});

/** The oracle machine as a pure function over events. */
export const foldOracle = compileFold<OracleContext>(oracleMachine);
