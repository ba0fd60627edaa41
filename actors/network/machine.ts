import { assign, setup } from 'xstate';
import type { Event } from '../../src/core/commit.ts';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold, type FoldStep } from '../../src/core/fold.ts';
import { emptyNetwork, type FactMark, type NetworkContext, type RoundContext } from './context.ts';
import { join, quit, request } from './effects.ts';
import { type NetworkEvent, roundEventTypes, type RoundSeen } from './events.ts';
import { foldRound } from './round-machine.ts';

/** Goes up when the fold of a node's part or of its rounds changes in a way that old snapshots cannot follow. */
export const networkMachineVersion = 1;

type Of<Type extends NetworkEvent['type']> = Extract<NetworkEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends NetworkEvent['type']>(event: NetworkEvent): Of<Type> => event as Of<Type>;

/** Whether a place on the chain is behind a mark. */
export function isAfter({ block, logIndex }: FactMark, mark: FactMark): boolean {
  return block > mark.block || (block === mark.block && logIndex > mark.logIndex);
}

function stepRound(context: NetworkContext, event: Event): FoldStep<RoundContext> {
  return foldRound.step(context.round ?? foldRound.initial, event);
}

/** The mark after an event: facts are told in the order of the chain. */
function markAfter({ seenTo }: NetworkContext, event: NetworkEvent): FactMark {
  const seen: RoundSeen | null | undefined = 'seen' in event ? event.seen : undefined;
  return seen !== null && seen !== undefined && isAfter(seen, seenTo)
    ? { block: seen.block, logIndex: seen.logIndex }
    : seenTo;
}

const networkSetup = setup({
  types: { context: {} as NetworkContext, events: {} as NetworkEvent },
  guards: {
    roundTakes: ({ context, event }) => stepRound(context, event).handled,
    isOracle: ({ event }) => as<'PartTaken'>(event).role === 'oracle',
  },
  actions: {
    configure: assign(({ context, event }) => {
      const { node, role, times, from, firstRound } = as<'PartTaken'>(event);
      return { node, role, times, firstRound, seenTo: isAfter(from, context.seenTo) ? from : context.seenTo };
    }),
    enter: assign(({ context, event }) => ({ seenTo: markAfter(context, event) })),
    exit: assign(({ context, event }) => {
      return { seenTo: markAfter(context, event), joinAt: as<'PoolExited'>(event).joinAt };
    }),
    waitToJoin: assign(({ event }) => ({ joinAt: as<'JoinFailed'>(event).joinAt })),
    beginSlot: assign(({ event }) => ({ slot: as<'SlotBegun'>(event).slot })),
    goBack: assign(({ event }) => {
      const { block, logIndex } = as<'FactsReverted'>(event);
      return { seenTo: { block, logIndex } };
    }),
    foldRound: assign(({ context, event }) => {
      const round = stepRound(context, event).state;
      return { round, seenTo: markAfter(context, event), slot: Math.max(context.slot, round.context.round) };
    }),
    runRoundEffects: effectAction,
    join: effectAction,
    quit: effectAction,
    request: effectAction,
  },
});

const takes = {
  guard: 'roundTakes',
  actions: [
    effects(
      'runRoundEffects',
      ({ context, event }: { context: NetworkContext; event: NetworkEvent }) => stepRound(context, event).effects,
    ),
    'foldRound',
  ],
} as const;
const rounds = Object.fromEntries(roundEventTypes.map((type) => [type, takes])) as Record<
  (typeof roundEventTypes)[number],
  typeof takes
>;
const always = { ...rounds, FactsReverted: { actions: 'goBack' } } as const;
const taken = [
  { guard: 'isOracle', target: 'driving', actions: 'configure' },
  { target: 'joining', actions: ['configure', effects('join', join)] },
] as const;
const leaves = { target: 'leaving', actions: effects('quit', quit) } as const;
const entered = { target: 'member', actions: 'enter' } as const;

/** A node's part in idle rounds, with the newest round inside. Used as a fold over events. */
export const networkMachine = networkSetup.createMachine({
  id: 'network',
  context: emptyNetwork,
  initial: 'off',
  states: {
    off: { on: { ...always, PartTaken: taken } },
    out: {
      on: {
        ...always,
        PartLeft: { target: 'off' },
        PoolEntered: entered,
        JoinWanted: { target: 'joining', actions: effects('join', join) },
      },
    },
    joining: {
      on: {
        ...always,
        PartLeft: leaves,
        PoolEntered: entered,
        JoinFailed: { target: 'out', actions: 'waitToJoin' },
      },
    },
    member: { on: { ...always, PartLeft: leaves, PoolExited: { target: 'out', actions: 'exit' } } },
    leaving: { on: { ...always, PartTaken: taken, PoolExited: { target: 'off', actions: 'exit' } } },
    driving: {
      on: {
        ...always,
        PartLeft: { target: 'off' },
        SlotBegun: { actions: ['beginSlot', effects('request', request)] },
      },
    },
  },
});

/** The network machine as a pure function over events. */
export const foldNetwork = compileFold<NetworkContext>(networkMachine);
