import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { emptyWatch, type Enforcement, type WatchContext, type WatchedSlot } from './context.ts';
import { askBlockTime, enforce } from './effects.ts';
import type { WatchEvent } from './events.ts';

type Of<Type extends WatchEvent['type']> = Extract<WatchEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends WatchEvent['type']>(event: WatchEvent): Of<Type> => event as Of<Type>;

const fresh: Enforcement = { stage: 'waiting', notBefore: 0, refusals: 0, replacement: null };

function noteEnforcement(
  { enforcements }: WatchContext,
  deadline: string,
  change: Partial<Enforcement>,
): Pick<WatchContext, 'enforcements'> {
  return { enforcements: { ...enforcements, [deadline]: { ...(enforcements[deadline] ?? fresh), ...change } } };
}

function changeSlot(context: WatchContext, miner: string, change: Partial<WatchedSlot>): Pick<WatchContext, 'slots'> {
  return { slots: context.slots.map((slot) => (slot.miner === miner ? { ...slot, ...change } : slot)) };
}

const watchSetup = setup({
  types: { context: {} as WatchContext, events: {} as WatchEvent },
  guards: {
    isMiner: ({ context, event }) => context.slots.some(({ miner }) => miner === as<'SlotAcked'>(event).miner),
  },
  actions: {
    remember: assign(({ event }) => {
      const { task, session, expireBy } = as<'WatchStarted'>(event);
      return { task, session, expireBy };
    }),
    assignSlots: assign(({ event }) => {
      const { miners, ranking, ackBy, expireBy } = as<'SlotsAssigned'>(event);
      return {
        slots: miners.map((miner) => ({ miner, phase: 'assigned' as const, deadline: ackBy })),
        ranking,
        expireBy,
      };
    }),
    recordRanking: assign(({ event }) => ({ ranking: as<'RankingLearned'>(event).ranking })),
    recordAck: assign(({ context, event }) => {
      const { miner, precommitBy } = as<'SlotAcked'>(event);
      return changeSlot(context, miner, { phase: 'acked', deadline: precommitBy });
    }),
    recordPrecommit: assign(({ context, event }) =>
      changeSlot(context, as<'SlotPrecommitted'>(event).miner, { phase: 'precommitted' }),
    ),
    startReveal: assign(({ context, event }) => {
      const { revealBy, expireBy } = as<'RevealPhaseOpened'>(event);
      return { slots: context.slots.map((slot) => ({ ...slot, deadline: revealBy })), expireBy };
    }),
    recordReveal: assign(({ context, event }) =>
      changeSlot(context, as<'SlotRevealed'>(event).miner, { phase: 'revealed' }),
    ),
    replaceSlot: assign(({ context, event }) => {
      const { miner, replacement, ackBy } = as<'SlotReplaced'>(event);
      const next: WatchedSlot[] =
        replacement === null ? [] : [{ miner: replacement, phase: 'assigned', deadline: ackBy }];
      return {
        slots: context.slots.flatMap((slot) => (slot.miner === miner ? next : [slot])),
        unfit: [...context.unfit, miner],
      };
    }),
    startAttestation: assign(({ event }) => ({ attestBy: as<'AttestPhaseOpened'>(event).attestBy })),
    startAppeal: assign(({ event }) => {
      const { appealedAt, drawBy, attestBy } = as<'AppealOpened'>(event);
      return { appealedAt, drawBy, attestBy };
    }),
    noteReached: assign(({ context, event }) =>
      noteEnforcement(context, as<'DeadlineReached'>(event).deadline, { stage: 'checking' }),
    ),
    noteDeferred: assign(({ context, event }) => {
      const { deadline, retryAt } = as<'DeadlineDeferred'>(event);
      return noteEnforcement(context, deadline, { stage: 'waiting', notBefore: retryAt });
    }),
    noteEnforced: assign(({ context, event }) => {
      const { deadline, replacement } = as<'DeadlineEnforced'>(event);
      return noteEnforcement(context, deadline, { stage: 'enforced', replacement });
    }),
    noteRefusal: assign(({ context, event }) => {
      const { deadline, retryAt } = as<'EnforcementFailed'>(event);
      const { refusals, replacement } = context.enforcements[deadline] ?? fresh;
      const unfit = replacement === null ? context.unfit : [...context.unfit, replacement];
      const change: Partial<Enforcement> = {
        stage: 'waiting',
        notBefore: retryAt,
        refusals: refusals + 1,
        replacement: null,
      };
      return { ...noteEnforcement(context, deadline, change), unfit };
    }),
    askBlockTime: effectAction,
    enforce: effectAction,
  },
});

const deadlines = {
  DeadlineReached: { actions: ['noteReached', effects('askBlockTime', askBlockTime)] },
  DeadlineDeferred: { actions: 'noteDeferred' },
  DeadlineEnforced: { actions: ['noteEnforced', effects('enforce', enforce)] },
  EnforcementFailed: { actions: 'noteRefusal' },
} as const;
const ends = { WatchEnded: { target: 'ended' } } as const;
const replaced = { guard: 'isMiner', actions: 'replaceSlot' } as const;

/** A task as an oracle watches it: only what deadlines depend on. */
export const watchMachine = watchSetup.createMachine({
  id: 'watch',
  context: emptyWatch,
  initial: 'new',
  states: {
    new: { on: { WatchStarted: { target: 'queued', actions: 'remember' } } },
    queued: { on: { ...ends, ...deadlines, SlotsAssigned: { target: 'working', actions: 'assignSlots' } } },
    working: {
      on: {
        ...ends,
        ...deadlines,
        SlotAcked: { guard: 'isMiner', actions: 'recordAck' },
        SlotPrecommitted: { guard: 'isMiner', actions: 'recordPrecommit' },
        SlotReplaced: replaced,
        RankingLearned: { actions: 'recordRanking' },
        RevealPhaseOpened: { target: 'revealing', actions: 'startReveal' },
      },
    },
    revealing: {
      on: {
        ...ends,
        ...deadlines,
        SlotRevealed: { guard: 'isMiner', actions: 'recordReveal' },
        SlotReplaced: replaced,
        AttestPhaseOpened: { target: 'attesting', actions: 'startAttestation' },
      },
    },
    attesting: { on: { ...ends, ...deadlines, TaskDecided: { target: 'decided' } } },
    decided: { on: { ...ends, AppealOpened: { target: 'appealed', actions: 'startAppeal' } } },
    appealed: { on: { ...ends, ...deadlines, AppealEnded: { target: 'decided' } } },
    ended: {},
  },
});

/** The watch machine as a pure function over events. */
export const foldWatch = compileFold<WatchContext>(watchMachine);
