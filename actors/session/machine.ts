import { assign, setup } from 'xstate';
import type { Effect } from '../../src/core/effect.ts';
import { compileFold } from '../../src/core/fold.ts';
import { limits } from '../../src/core/limits.ts';
import { lessWei } from '../../src/core/wei.ts';
import { taskEventTypes } from '../task/event-types.ts';
import { taskMachineVersion } from '../task/machine.ts';
import { changed } from './changes.ts';
import { depositOf, depositsWith, revertedWith, seenToAfter } from './chain-memory.ts';
import { emptySession, type SessionContext } from './context.ts';
import type { SessionChange } from './change-events.ts';
import type { SessionEvent } from './events.ts';
import { isShort, moneyAfter } from './money.ts';
import { parentFits } from './steps.ts';
import { openTaskCount, taskEffects, tasksAfter, taskTakes } from './tasks.ts';

/** Goes up when the fold of a session or of its tasks changes in a way old snapshots cannot follow. */
export const sessionMachineVersion = 3_000 + taskMachineVersion;

type Args = { context: SessionContext; event: SessionEvent };
type Of<Type extends SessionEvent['type']> = Extract<SessionEvent, { type: Type }>;
const as = <Type extends SessionEvent['type']>(event: SessionEvent): Of<Type> => event as Of<Type>;

function isNewDeposit(context: SessionContext, { seen, from }: Of<'SessionDeposited'>): boolean {
  return context.session !== null && depositOf(context, seen, from) === undefined;
}

function isRevertible(context: SessionContext, { seen, from, amountWei }: Of<'SessionDepositReverted'>): boolean {
  return depositOf(context, seen, from)?.amountWei === amountWei && !lessWei(context.money.balanceWei, amountWei);
}

function isNewVoid({ voided, money }: SessionContext, { batch, returnedWei }: Of<'BatchVoided'>): boolean {
  return voided?.includes(batch) !== true && !lessWei(money.paidWei, returnedWei);
}

/** Whether the balance does not cover a task under the terms that an update brings. */
function updateLeavesShort({ money }: SessionContext, { terms }: Of<'SessionUpdated'>): boolean {
  return lessWei(money.balanceWei, terms.maxTaskPriceWei);
}

function leavesShort(context: SessionContext, event: SessionEvent): boolean {
  return isShort(context, moneyAfter(context, event).balanceWei);
}

const sessionSetup = setup({
  types: { context: {} as SessionContext, events: {} as SessionEvent },
  guards: {
    taskTakesAndLeavesShort: ({ context, event }) =>
      parentFits(context, event) && taskTakes(context, event) && leavesShort(context, event),
    taskTakes: ({ context, event }) => parentFits(context, event) && taskTakes(context, event),
    depositLeavesShort: ({ context, event }) =>
      isNewDeposit(context, as<'SessionDeposited'>(event)) && leavesShort(context, event),
    isNewDeposit: ({ context, event }) => isNewDeposit(context, as<'SessionDeposited'>(event)),
    revertLeavesShort: ({ context, event }) =>
      isRevertible(context, as<'SessionDepositReverted'>(event)) && leavesShort(context, event),
    isRevertible: ({ context, event }) => isRevertible(context, as<'SessionDepositReverted'>(event)),
    voidLeavesShort: ({ context, event }) =>
      isNewVoid(context, as<'BatchVoided'>(event)) && leavesShort(context, event),
    isNewVoid: ({ context, event }) => isNewVoid(context, as<'BatchVoided'>(event)),
    updateLeavesShort: ({ context, event }) =>
      context.session !== null && updateLeavesShort(context, as<'SessionUpdated'>(event)),
    isNotOpened: ({ context }) => context.session === null,
    isOpened: ({ context }) => context.session !== null,
    isWholeBalance: ({ context, event }) =>
      as<'SessionClosed'>(event).refundedWei === context.money.balanceWei && openTaskCount(context) === 0,
    isWholeRefund: ({ context, event }) => as<'SessionCloseReverted'>(event).refundedWei === context.money.refundedWei,
  },
  actions: {
    open: assign(({ event }) => {
      const { session, client, terms, seen } = as<'SessionOpened'>(event);
      return { session, client, terms, openedBlock: seen.block };
    }),
    change: assign(({ context, event }) => changed(context, as<SessionChange['type']>(event))),
    moveMoney: assign(({ context, event }) => ({ money: moneyAfter(context, event) })),
    noteDeposit: assign(({ context, event }) => ({ deposits: depositsWith(context, as<'SessionDeposited'>(event)) })),
    forgetDeposit: assign(({ context, event }) => {
      const { seen, from } = as<'SessionDepositReverted'>(event);
      const reverted = depositOf(context, seen, from);
      return { deposits: context.deposits.filter((one) => one !== reverted) };
    }),
    bindKey: assign(({ context, event }) => ({ apiKeys: [...context.apiKeys, as<'ApiKeyBound'>(event).keyHash] })),
    revokeKey: assign(({ context, event }) => ({
      apiKeys: context.apiKeys.filter((hash) => hash !== as<'ApiKeyRevoked'>(event).keyHash),
    })),
    noteRevert: assign(({ context, event }) => ({ reverted: revertedWith(context, as<'ChainFactReverted'>(event)) })),
    noteRestore: assign(({ context, event }) => ({
      reverted: context.reverted.filter(({ key }) => key !== as<'ChainFactRestored'>(event).key),
    })),
    noteVoid: assign(({ context, event }) => ({
      voided: [...(context.voided ?? []), as<'BatchVoided'>(event).batch].slice(-limits.sessionVoidBatchesKept),
    })),
    noteBlock: assign(({ context, event }) => ({ seenTo: seenToAfter(context, event) })),
    foldTask: assign(({ context, event }) => tasksAfter(context, event)),
    runTaskEffects: (_: unknown, _effects: readonly Effect[]): void => {},
  },
});

const runTaskEffects = {
  type: 'runTaskEffects',
  params: ({ context, event }: Args): readonly Effect[] => taskEffects(context, event),
} as const;

const step = ['moveMoney', runTaskEffects, 'foldTask', 'noteBlock'] as const;

/** A task event moves money first and then the task; the balance decides between open and suspended. */
function taskTransitions(whenShort: string | undefined, whenCovered: string | undefined) {
  const transitions = [
    { guard: 'taskTakesAndLeavesShort', actions: step, ...(whenShort === undefined ? {} : { target: whenShort }) },
    { guard: 'taskTakes', actions: step, ...(whenCovered === undefined ? {} : { target: whenCovered }) },
  ] as const;
  return Object.fromEntries(taskEventTypes.map((type) => [type, transitions])) as Record<
    (typeof taskEventTypes)[number],
    typeof transitions
  >;
}

const deposit = ['moveMoney', 'noteDeposit', 'noteBlock'] as const;
const depositReverted = ['moveMoney', 'forgetDeposit', 'noteBlock'] as const;
const keys = {
  ApiKeyBound: { guard: 'isOpened', actions: 'bindKey' },
  ApiKeyRevoked: { actions: 'revokeKey' },
} as const;
const reorg = {
  ChainFactReverted: { actions: ['noteRevert', 'noteBlock'] },
  ChainFactRestored: { actions: ['noteRestore', 'noteBlock'] },
} as const;
const voided = { guard: 'isNewVoid', actions: ['moveMoney', 'noteVoid'] } as const;
const change = { guard: 'isOpened', actions: ['change', 'noteBlock'] } as const;
const changes = {
  SessionUpdated: change,
  SessionTransferred: change,
  SessionDeactivated: change,
  SessionReactivated: change,
  SessionRouterAdded: change,
  SessionRouterRemoved: change,
  SessionMinerAdded: change,
  SessionMinerRemoved: change,
} as const;
const closing = {
  SessionDraining: { target: 'draining', actions: 'noteBlock' },
  SessionClosed: { guard: 'isWholeBalance', target: 'closed', actions: ['moveMoney', 'noteBlock'] },
} as const;

/**
 * A session: the contract between a client and the network, with its tasks inside, so that one ordered
 * log replays all of it. Used as a fold over events.
 */
export const sessionMachine = sessionSetup.createMachine({
  id: 'session',
  context: emptySession,
  initial: 'opening',
  states: {
    opening: {
      on: {
        ...keys,
        ...reorg,
        ...changes,
        SessionOpened: { guard: 'isNotOpened', actions: ['open', 'noteBlock'] },
        SessionDeposited: [
          { guard: 'depositLeavesShort', target: 'suspended', actions: deposit },
          { guard: 'isNewDeposit', target: 'open', actions: deposit },
        ],
      },
    },
    open: {
      on: {
        ...keys,
        ...reorg,
        ...closing,
        ...changes,
        SessionUpdated: [{ ...change, guard: 'updateLeavesShort', target: 'suspended' }, change],
        ...taskTransitions('suspended', undefined),
        BatchVoided: voided,
        SessionDeposited: { guard: 'isNewDeposit', actions: deposit },
        SessionDepositReverted: [
          { guard: 'revertLeavesShort', target: 'suspended', actions: depositReverted },
          { guard: 'isRevertible', actions: depositReverted },
        ],
      },
    },
    suspended: {
      on: {
        ...keys,
        ...reorg,
        ...closing,
        ...changes,
        SessionUpdated: [
          { ...change, guard: 'updateLeavesShort' },
          { ...change, target: 'open' },
        ],
        ...taskTransitions(undefined, 'open'),
        BatchVoided: [
          { guard: 'voidLeavesShort', actions: ['moveMoney', 'noteVoid'] },
          { ...voided, target: 'open' },
        ],
        SessionDeposited: [
          { guard: 'depositLeavesShort', actions: deposit },
          { guard: 'isNewDeposit', target: 'open', actions: deposit },
        ],
        SessionDepositReverted: { guard: 'isRevertible', actions: depositReverted },
      },
    },
    draining: {
      on: {
        ...keys,
        ...reorg,
        ...changes,
        ...taskTransitions(undefined, undefined),
        BatchVoided: voided,
        SessionClosed: closing.SessionClosed,
        SessionDeposited: { guard: 'isNewDeposit', actions: deposit },
        SessionDepositReverted: { guard: 'isRevertible', actions: depositReverted },
      },
    },
    closed: {
      on: {
        ...reorg,
        ApiKeyRevoked: keys.ApiKeyRevoked,
        // To draining, wherever it was before: the owner has asked for the end, and the same transaction comes again.
        SessionCloseReverted: { guard: 'isWholeRefund', target: 'draining', actions: 'moveMoney' },
      },
    },
  },
});

/** The session machine as a pure function over events. */
export const foldSession = compileFold<SessionContext>(sessionMachine);
