import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, zeroWei } from '../../src/core/wei.ts';
import { type ClientTask, type ContractContext, type Deposit, emptyContract } from './context.ts';
import { appealOf, appealsAfter } from './appeal-list.ts';
import {
  afterAppealRequest,
  afterCloseRequest,
  afterDepositRequest,
  afterRequest,
  afterTaskRequest,
} from './effects.ts';
import type { ContractEvent } from './events.ts';

type Of<Type extends ContractEvent['type']> = Extract<ContractEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends ContractEvent['type']>(event: ContractEvent): Of<Type> => event as Of<Type>;

function isUnderWay(task: ClientTask | undefined): boolean {
  return task?.state === 'requested' || task?.state === 'queued';
}

/** Ends a task; the oldest ended ones are let go of. */
function endTask(
  context: ContractContext,
  task: TaskId,
  change: Partial<ClientTask>,
): Pick<ContractContext, 'tasks' | 'endedTasks'> {
  const { tasks: kept, endedTasks } = context;
  const known = kept[task];
  if (known === undefined) return { tasks: kept, endedTasks };
  const tasks: Record<TaskId, ClientTask> = { ...kept, [task]: { ...known, ...change } };
  const ended = [...endedTasks, task];
  while (ended.length > limits.clientEndedKept) {
    const oldest = ended.shift();
    if (oldest !== undefined) delete tasks[oldest];
  }
  return { tasks, endedTasks: ended };
}

/** Ends the first deposit under way that fits; the oldest ended ones are let go of. */
function endDeposit(
  deposits: readonly Deposit[],
  fits: (deposit: Deposit) => boolean,
  state: Deposit['state'],
): readonly Deposit[] {
  const place = deposits.findIndex((deposit) => deposit.state === 'requested' && fits(deposit));
  const changed = deposits.map((deposit, index) => (index === place ? { ...deposit, state } : deposit));
  const surplus = changed.filter((deposit) => deposit.state !== 'requested').length - limits.clientEndedKept;
  if (surplus <= 0) return changed;
  const oldest = changed.findIndex((deposit) => deposit.state !== 'requested');
  return changed.toSpliced(oldest, 1);
}

const contractSetup = setup({
  types: { context: {} as ContractContext, events: {} as ContractEvent },
  guards: {
    isNewDepositRequest: ({ context, event }) =>
      !context.deposits.some(({ request }) => request === as<'DepositRequested'>(event).request),
    isDepositUnderWay: ({ context, event }) =>
      context.deposits.some(
        ({ request, state }) => state === 'requested' && request === as<'DepositFailed'>(event).request,
      ),
    mayBeAppealed: ({ context, event }) => {
      const state = appealOf(context, as<'AppealRequested'>(event).task)?.state;
      return state === undefined || state === 'failed';
    },
    isAppealRequested: ({ context, event }) => appealOf(context, as<'AppealMade'>(event).task)?.state === 'requested',
    isNewTask: ({ context, event }) => context.tasks[as<'TaskRequested'>(event).task] === undefined,
    isTaskUnderWay: ({ context, event }) => isUnderWay(context.tasks[as<'TaskOnChain'>(event).task]),
    isTaskRequested: ({ context, event }) => context.tasks[as<'TaskOnChain'>(event).task]?.state === 'requested',
  },
  actions: {
    request: assign(({ event }) => {
      const { key, terms } = as<'SessionRequested'>(event);
      return { key, terms };
    }),
    grant: assign(({ event }) => {
      const { key, session, terms } = as<'SessionGranted'>(event);
      return { key, session, terms };
    }),
    requestDeposit: assign(({ context, event }) => {
      const { request, amountWei } = as<'DepositRequested'>(event);
      return { deposits: [...context.deposits, { request, amountWei, state: 'requested' as const }] };
    }),
    failDeposit: assign(({ context, event }) => {
      const { request } = as<'DepositFailed'>(event);
      return { deposits: endDeposit(context.deposits, (deposit) => deposit.request === request, 'failed') };
    }),
    countDeposit: assign(({ context, event }) => {
      const { own, amountWei, logIndex, seen } = as<'DepositSeen'>(event);
      const deposits = own
        ? endDeposit(context.deposits, (deposit) => deposit.amountWei === amountWei, 'made')
        : context.deposits;
      return {
        deposits,
        depositedWei: addWei(context.depositedWei, amountWei),
        depositSeenAt: [seen.block, logIndex] as const,
      };
    }),
    requestTask: assign(({ context, event }) => {
      const { task, requestId, prompt, maxTokens, maxPriceWei } = as<'TaskRequested'>(event);
      const fresh = {
        state: 'requested',
        priceWei: zeroWei,
        returnedWei: zeroWei,
        manifest: null,
        failure: null,
      } as const;
      return { tasks: { ...context.tasks, [task]: { requestId, prompt, maxTokens, maxPriceWei, ...fresh } } };
    }),
    failTask: assign(({ context, event }) => {
      const { task, code, reason } = as<'TaskRequestFailed'>(event);
      return endTask(context, task, { state: 'failed', failure: { code, reason } });
    }),
    queueTask: assign(({ context, event }) => {
      const { task } = as<'TaskOnChain'>(event);
      const known = context.tasks[task];
      return known === undefined ? {} : { tasks: { ...context.tasks, [task]: { ...known, state: 'queued' as const } } };
    }),
    settleTask: assign(({ context, event }) => {
      const { task, priceWei, returnedWei, manifest } = as<'ResultReceived'>(event);
      const ended = endTask(context, task, { state: 'settled', priceWei, returnedWei, manifest });
      return { ...ended, paidWei: addWei(context.paidWei, priceWei) };
    }),
    refundTask: assign(({ context, event }) => {
      const { task, returnedWei, reason } = as<'RefundReceived'>(event);
      return endTask(context, task, { state: 'refunded', returnedWei, failure: { code: 'task_refunded', reason } });
    }),
    foldAppeal: assign(({ context, event }) =>
      appealsAfter(context, event as Of<'AppealRequested' | 'AppealMade' | 'AppealFailed'>),
    ),
    recordFailure: assign(({ event }) => {
      const { code, reason } = as<'SessionRequestFailed' | 'CloseFailed'>(event);
      return { failure: { code, reason } };
    }),
    recordRefund: assign(({ event }) => ({ refundedWei: as<'SessionEnded'>(event).refundedWei })),
    openOnChain: effectAction,
    depositOnChain: effectAction,
    submitOnChain: effectAction,
    appealOnChain: effectAction,
    closeOnChain: effectAction,
  },
});

const underWay = {
  DepositSeen: { actions: 'countDeposit' },
  DepositFailed: { guard: 'isDepositUnderWay', actions: 'failDeposit' },
  TaskOnChain: { guard: 'isTaskRequested', actions: 'queueTask' },
  TaskRequestFailed: { guard: 'isTaskRequested', actions: 'failTask' },
  ResultReceived: { guard: 'isTaskUnderWay', actions: 'settleTask' },
  RefundReceived: { guard: 'isTaskUnderWay', actions: 'refundTask' },
  AppealRequested: { guard: 'mayBeAppealed', actions: ['foldAppeal', effects('appealOnChain', afterAppealRequest)] },
  AppealMade: { guard: 'isAppealRequested', actions: 'foldAppeal' },
  AppealFailed: { guard: 'isAppealRequested', actions: 'foldAppeal' },
  SessionEnded: { target: 'closed', actions: 'recordRefund' },
} as const;

/** A session as its client sees it: what was asked for and what the chain answered. */
export const contractMachine = contractSetup.createMachine({
  id: 'contract',
  context: emptyContract,
  initial: 'new',
  states: {
    new: {
      on: {
        SessionRequested: { target: 'requested', actions: ['request', effects('openOnChain', afterRequest)] },
        SessionGranted: { target: 'open', actions: 'grant' },
      },
    },
    requested: {
      on: {
        SessionGranted: { target: 'open', actions: 'grant' },
        SessionRequestFailed: { target: 'failed', actions: 'recordFailure' },
      },
    },
    open: {
      on: {
        ...underWay,
        DepositRequested: {
          guard: 'isNewDepositRequest',
          actions: ['requestDeposit', effects('depositOnChain', afterDepositRequest)],
        },
        TaskRequested: { guard: 'isNewTask', actions: ['requestTask', effects('submitOnChain', afterTaskRequest)] },
        CloseRequested: { target: 'closing', actions: effects('closeOnChain', afterCloseRequest) },
        ClosingSeen: { target: 'closing' },
      },
    },
    closing: { on: { ...underWay, CloseFailed: { target: 'open', actions: 'recordFailure' } } },
    closed: {},
    failed: {},
  },
});

/** The contract machine as a pure function over events. */
export const foldContract = compileFold<ContractContext>(contractMachine);
