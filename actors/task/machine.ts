import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { zeroWei } from '../../src/core/wei.ts';
import { afterAppeal, afterRuling, type AppealEvent, isAppealOpen } from './appeals.ts';
import { afterLoss, isAssignmentReverted, restoreTimer } from './assignment.ts';
import { areClaimants, claimsWith, claimsWithout, hasClaimed, mayClaim } from './standing-claims.ts';
import { emptyTask, mayBeSelected, selectionsMax, type TaskContext } from './context.ts';
import {
  afterAllCommitted,
  afterAssignment,
  afterBatch,
  afterClaim,
  afterParent,
  afterQueued,
  afterRefusedSelection,
  afterSelection,
  afterSubmission,
  afterTaken,
  afterTimeout,
  afterValidation,
  endEarly,
  endStep,
  expire,
  freeMiners,
  outcome,
  takeBack,
} from './effects.ts';
import type { TaskEvent } from './events.ts';
import { isNewVote, leafSlots } from './batched.ts';
import { contextTerms } from './queued.ts';
import { cancelledBy, comesAfter, waitsFor, withParent } from './steps.ts';
import { afterReplacement, changeSlot, freshSlot, isMinerOf } from './slots.ts';

/** Goes up when the fold changes in a way that old snapshots cannot follow. */
export const taskMachineVersion = 3;

type Of<Type extends TaskEvent['type']> = Extract<TaskEvent, { type: Type }>;

/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends TaskEvent['type']>(event: TaskEvent): Of<Type> => event as Of<Type>;

const taskSetup = setup({
  types: { context: {} as TaskContext, events: {} as TaskEvent },
  guards: {
    isOnChain: ({ context }) => context.submittedBlock > 0,
    notOnChain: ({ context }) => context.submittedBlock === 0,
    cancelledBeforeChain: ({ context }) => context.submittedBlock === 0 && context.cancelRequested,
    mayBeSelected: ({ context, event }) => mayBeSelected(context) && areClaimants(context, as<'MinersSelected'>(event)),
    waitsForParent: ({ context, event }) => waitsFor(context, as<'ParentSettled'>(event).parent),
    isParent: ({ context, event }) =>
      context.parentFailed === undefined && comesAfter(context, as<'ParentFailed'>(event).parent),
    mayClaim: ({ context, event }) => mayClaim(context, as<'OfferClaimed'>(event)),
    hasClaim: ({ context, event }) => !context.selected && hasClaimed(context, as<'ClaimLapsed'>(event).miner),
    selectedOnce: ({ context }) => context.selected,
    mayRetrySelection: ({ context }) =>
      context.selected && context.selections < selectionsMax && !context.cancelRequested,
    notAppealed: ({ context }) => context.appeal === undefined,
    isAppealOpen: ({ context }) => isAppealOpen(context),
    isReverted: ({ context }) => isAssignmentReverted(context),
    isMiner: ({ context, event }) => isMinerOf(context, as<'TaskAcked'>(event).miner),
    isNewVote: ({ context, event }) => isNewVote(context, as<'VerdictSigned'>(event).validator),
    isLiveSlot: ({ context, event }) => isMinerOf(context, as<'MinerTimedOut'>(event).miner),
    isJoin: ({ context, event }) => {
      const { from, to } = as<'PrimaryReplaced'>(event);
      return context.primary === from && from !== to && isMinerOf(context, to);
    },
  },
  actions: {
    remember: assign(({ event }) => {
      const { type: _, seen, validators, maxPriceWei, ...rest } = as<'TaskSubmitted'>(event);
      return { ...rest, validatorCount: validators, escrowWei: maxPriceWei, submittedBlock: seen?.block ?? 0 };
    }),
    markOnChain: assign(({ event }) => {
      const { escrowWei, seen, terms } = as<'TaskQueuedOnChain'>(event);
      return { escrowWei, submittedBlock: seen.block, ...(terms === undefined ? {} : contextTerms(terms)) };
    }),
    recordParent: assign(({ context, event }) => withParent(context, as<'ParentSettled'>(event))),
    markParentFailed: assign(() => ({ parentFailed: true as const, cancelRequested: true })),
    markTaken: assign(({ event }) => ({ submittedBlock: as<'TaskTaken'>(event).afterBlock })),
    recordSelection: assign(({ context, event }) => {
      const { beaconBlock, ranking, validators, proof } = as<'MinersSelected'>(event);
      return { beaconBlock, ranking, validators, proof, selected: true, selections: context.selections + 1 };
    }),
    recordClaim: assign(({ context, event }) => ({ claims: claimsWith(context, as<'OfferClaimed'>(event)) })),
    dropClaim: assign(({ context, event }) => claimsWithout(context, as<'ClaimLapsed'>(event))),
    forgetSelection: assign(() => ({
      selected: false,
      ranking: [],
      validators: [],
      proof: null,
      claims: [],
      reoffered: {},
    })),
    assignSlots: assign(({ event }) => {
      const { miners, validators, ackBy } = as<'MinersAssigned'>(event);
      return { slots: miners.map((miner) => freshSlot(miner, 0, ackBy)), validators, primary: miners[0] ?? null };
    }),
    recordAck: assign(({ context, event }) => {
      const { miner, precommitBy } = as<'TaskAcked'>(event);
      return changeSlot(context, miner, { phase: 'acked', deadline: precommitBy });
    }),
    recordPrecommit: assign(({ context, event }) => {
      const { miner, hash } = as<'TaskPrecommitted'>(event);
      return changeSlot(context, miner, { phase: 'precommitted', hash });
    }),
    startReveal: assign(({ context, event }) => {
      const { revealBy, batch } = as<'AllPrecommitted'>(event);
      const slots = context.slots.map((slot) => ({ ...slot, deadline: revealBy }));
      return batch === undefined ? { slots } : { slots, batch, leaf: leafSlots(context) };
    }),
    recordCommit: assign(({ context, event }) => {
      const { miner, resultRoot, result, streamed, salt } = as<'TaskCommitted'>(event);
      const shown = { resultRoot, result, ...(salt === undefined ? {} : { salt }) };
      const seen = miner === context.primary ? { streamed } : {};
      return { ...changeSlot(context, miner, { phase: 'committed', ...shown }), ...seen };
    }),
    recordVote: assign(({ context, event }) => {
      const { type: _, task: __, ...vote } = as<'VerdictSigned'>(event);
      return { votes: [...(context.votes ?? []), vote] };
    }),
    startValidation: assign(({ event }) => ({ attestBy: as<'AllCommitted'>(event).attestBy })),
    replaceMiner: assign(({ context, event }) => {
      return afterReplacement(context, as<'MinerTimedOut'>(event));
    }),
    recordJoin: assign(({ context, event }) => {
      const { from, to, deliveredTokens, prefixHash } = as<'PrimaryReplaced'>(event);
      return { primary: to, joins: [...context.joins, { from, to, deliveredTokens, prefixHash }] };
    }),
    recordVerdict: assign(({ event }) => {
      const { winner, honest, outliers, scores, report, promptTokens, outputTokens } = as<'ResultValidated'>(event);
      return { verdict: { winner, honest, outliers, scores, report, promptTokens, outputTokens } };
    }),
    recordSettlement: assign(({ event }) => {
      const { priceWei, returnedWei, payments, manifest, seen, posted = seen } = as<'TaskSettled'>(event);
      return {
        priceWei,
        returnedWei,
        payments,
        manifest,
        settlement: posted === null ? null : { block: posted.block, txHash: posted.txHash },
        escrowWei: zeroWei,
      };
    }),
    markCancelled: assign(({ context, event }) => cancelledBy(context, as<'TaskCancelRequested'>(event).reason)),
    recordFailure: assign(({ event }) => {
      const { code, reason } = as<'TaskFailed'>(event);
      return { failure: { code, reason } };
    }),
    recordRefund: assign(({ event }) => ({ returnedWei: as<'TaskRefunded'>(event).returnedWei, escrowWei: zeroWei })),
    setTimer: assign(({ context, event }) => {
      const { timer, at } = as<'TimerSet'>(event);
      return { timers: { ...context.timers, [timer]: at } };
    }),
    clearTimer: assign(({ context, event }) => {
      const { [as<'TimerFired'>(event).timer]: _, ...timers } = context.timers;
      return { timers };
    }),
    stopTimers: assign(() => ({ timers: {} })),
    awaitRestore: assign(({ context, event }) => ({
      timers: { ...context.timers, [restoreTimer]: as<'AssignmentReverted'>(event).restoreBy },
    })),
    endRestore: assign(({ context }) => {
      const { [restoreTimer]: _, ...timers } = context.timers;
      return { timers };
    }),
    recordAppeal: assign(({ context, event }) => afterAppeal(context, event as AppealEvent)),
    recordLoss: assign(({ context, event }) => afterLoss(context, as<'AssignmentLost'>(event))),
    submitOrSelect: effectAction,
    selectMiners: effectAction,
    assignOnChain: effectAction,
    sendJobs: effectAction,
    replaceJob: effectAction,
    showBatch: effectAction,
    requestValidation: effectAction,
    settleOnChain: effectAction,
    recordOutcome: effectAction,
    cancelOnChain: effectAction,
    expireOnChain: effectAction,
    endStepOnChain: effectAction,
    freeMiners: effectAction,
    takeBack: effectAction,
  },
});

const timedOut = { guard: 'isLiveSlot', actions: [effects('replaceJob', afterTimeout), 'replaceMiner'] } as const;
const joined = { guard: 'isJoin', actions: 'recordJoin' } as const;
const failed = {
  target: 'failed',
  actions: [effects('freeMiners', freeMiners), 'recordFailure', 'stopTimers'],
} as const;
/** What a reorg does to a task that stands on its assignment. */
const reorg = {
  AssignmentReverted: { actions: 'awaitRestore' },
  AssignmentRestored: { actions: 'endRestore' },
  AssignmentLost: {
    guard: 'isReverted',
    target: 'failed',
    actions: [effects('takeBack', takeBack), 'recordLoss', 'stopTimers'],
  },
} as const;
const ofParents = {
  ParentSettled: { guard: 'waitsForParent', actions: ['recordParent', effects('selectMiners', afterParent)] },
  ParentFailed: { guard: 'isParent', actions: ['markParentFailed', effects('endStepOnChain', endStep)] },
} as const;
const cancelled = { actions: ['markCancelled', effects('cancelOnChain', endEarly)] } as const;
const settled = {
  target: 'settled',
  actions: ['recordSettlement', 'stopTimers', effects('recordOutcome', outcome)],
} as const;

/**
 * One task of a session: the Proof-of-Useful-Work state machine of `docs/protocol.md`. Used as a fold
 * over events; it never waits, sends or reads a clock.
 */
export const taskMachine = taskSetup.createMachine({
  id: 'task',
  context: emptyTask,
  initial: 'new',
  states: {
    new: {
      on: { TaskSubmitted: { target: 'queued', actions: ['remember', effects('submitOrSelect', afterSubmission)] } },
    },
    queued: {
      on: {
        TimerSet: { actions: 'setTimer' },
        TaskQueuedOnChain: [
          { guard: 'cancelledBeforeChain', actions: ['markOnChain', effects('cancelOnChain', endEarly)] },
          { guard: 'notOnChain', actions: ['markOnChain', effects('selectMiners', afterQueued)] },
        ],
        ...ofParents,
        TaskTaken: { guard: 'notOnChain', actions: ['markTaken', effects('selectMiners', afterTaken)] },
        OfferClaimed: { guard: 'mayClaim', actions: ['recordClaim', effects('selectMiners', afterClaim)] },
        ClaimLapsed: { guard: 'hasClaim', actions: 'dropClaim' },
        MinersSelected: {
          guard: 'mayBeSelected',
          actions: ['recordSelection', effects('assignOnChain', afterSelection)],
        },
        SelectionRefused: [
          { guard: 'mayRetrySelection', actions: [effects('selectMiners', afterRefusedSelection), 'forgetSelection'] },
          { guard: 'selectedOnce', actions: ['forgetSelection', effects('cancelOnChain', endEarly)] },
        ],
        MinersAssigned: {
          guard: 'isOnChain',
          target: 'assigned',
          actions: ['assignSlots', 'stopTimers', effects('sendJobs', afterAssignment)],
        },
        TimerFired: { actions: ['clearTimer', effects('expireOnChain', expire)] },
        TaskCancelRequested: cancelled,
        TaskFailed: failed,
      },
    },
    assigned: {
      on: {
        ...reorg,
        TaskAcked: { guard: 'isMiner', target: 'executing', actions: 'recordAck' },
        MinerTimedOut: timedOut,
        PrimaryReplaced: joined,
        TaskCancelRequested: cancelled,
        TaskFailed: failed,
      },
    },
    executing: {
      on: {
        ...reorg,
        TaskAcked: { guard: 'isMiner', actions: 'recordAck' },
        TaskPrecommitted: { guard: 'isMiner', actions: 'recordPrecommit' },
        AllPrecommitted: { target: 'precommitted', actions: [effects('showBatch', afterBatch), 'startReveal'] },
        MinerTimedOut: timedOut,
        PrimaryReplaced: joined,
        TaskCancelRequested: cancelled,
        TaskFailed: failed,
      },
    },
    precommitted: {
      on: {
        ...reorg,
        TaskCommitted: { guard: 'isMiner', actions: 'recordCommit' },
        AllCommitted: {
          target: 'committed',
          actions: ['startValidation', effects('requestValidation', afterAllCommitted)],
        },
        MinerTimedOut: timedOut,
        PrimaryReplaced: joined,
        TaskFailed: failed,
      },
    },
    committed: {
      on: {
        ...reorg,
        VerdictSigned: { guard: 'isNewVote', actions: 'recordVote' },
        ResultValidated: { target: 'validated', actions: ['recordVerdict', effects('settleOnChain', afterValidation)] },
        PrimaryReplaced: joined,
        TaskFailed: failed,
      },
    },
    validated: {
      on: {
        ...reorg,
        OutcomeAppealed: { guard: 'notAppealed', actions: 'recordAppeal' },
        AppealDecided: { guard: 'isAppealOpen', actions: ['recordAppeal', effects('settleOnChain', afterRuling)] },
        AppealUndecided: { guard: 'isAppealOpen', actions: 'recordAppeal' },
        TaskSettled: settled,
        TaskFailed: failed,
      },
    },
    // The chain has the last word: another router may have brought to an end what this one gave up.
    failed: {
      on: {
        TaskSettled: settled,
        TaskRefunded: { target: 'refunded', actions: ['recordRefund', effects('recordOutcome', outcome)] },
      },
    },
    settled: { on: reorg },
    refunded: {},
  },
});

/** The task machine as a pure function over events. */
export const foldTask = compileFold<TaskContext>(taskMachine);
