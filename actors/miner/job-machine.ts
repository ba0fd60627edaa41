import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { disputeAfter, disputeEffects, type DisputeEvent, disputeEventTypes } from './disputes.ts';
import { emptyJob, type JobContext } from './context.ts';
import { afterLateAck, afterOutput, afterReceipt, afterRevealOpened, stop } from './effects.ts';
import type { JobEvent } from './events.ts';

type Of<Type extends JobEvent['type']> = Extract<JobEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends JobEvent['type']>(event: JobEvent): Of<Type> => event as Of<Type>;

const jobSetup = setup({
  types: { context: {} as JobContext, events: {} as JobEvent },
  actions: {
    remember: assign(({ event }) => {
      const { type: _, ...job } = as<'JobReceived'>(event);
      return job;
    }),
    recordAck: assign(({ event }) => ({ precommitBy: as<'JobAcked'>(event).precommitBy })),
    recordOutput: assign(({ event }) => {
      const { resultRoot, result, tokens, finishReason, salt } = as<'OutputProduced'>(event);
      return { resultRoot, result, tokens, finishReason, salt };
    }),
    recordRevealTime: assign(({ event }) => ({ revealBy: as<'RevealOpened'>(event).revealBy })),
    recordPay: assign(({ event }) => ({ earnedWei: as<'JobDone'>(event).earnedWei })),
    recordEnding: assign(({ event }) => {
      const { code, reason } = as<'JobCancelled' | 'JobFailed'>(event);
      return { ending: { code, reason } };
    }),
    /** What an ended job no longer needs is not kept in every snapshot. */
    forgetPrefix: assign(() => ({ prefix: [] })),
    noteDispute: assign(({ event }) => ({ dispute: disputeAfter(event as DisputeEvent) })),
    runDispute: effectAction,
    ackAndInfer: effectAction,
    precommit: effectAction,
    reveal: effectAction,
    stopInference: effectAction,
  },
});

const ended = ['recordEnding', 'forgetPrefix'] as const;
const given = {
  JobCancelled: { target: 'cancelled', actions: ended },
  JobFailed: { target: 'failed', actions: ended },
} as const;
const stopped = [effects('stopInference', stop), ...ended] as const;
const generating = {
  JobCancelled: { target: 'cancelled', actions: stopped },
  JobFailed: { target: 'failed', actions: stopped },
} as const;
const opened = { target: 'revealing', actions: ['recordRevealTime', effects('reveal', afterRevealOpened)] } as const;

const disputed = {
  actions: [
    'noteDispute',
    effects('runDispute', ({ event }: { event: JobEvent }) => disputeEffects(event as DisputeEvent)),
  ],
} as const;
const disputes = Object.fromEntries(disputeEventTypes.map((type) => [type, disputed])) as Record<
  (typeof disputeEventTypes)[number],
  typeof disputed
>;

/** A miner's part of one task. `produced` is an answer that waits for the chain to have the acknowledgement. */
export const jobMachine = jobSetup.createMachine({
  id: 'job',
  context: emptyJob,
  initial: 'new',
  states: {
    new: { on: { JobReceived: { target: 'received', actions: ['remember', effects('ackAndInfer', afterReceipt)] } } },
    received: {
      on: {
        ...generating,
        JobAcked: { target: 'running', actions: 'recordAck' },
        OutputProduced: { target: 'produced', actions: 'recordOutput' },
      },
    },
    running: {
      on: {
        ...generating,
        OutputProduced: { target: 'precommitting', actions: ['recordOutput', effects('precommit', afterOutput)] },
      },
    },
    produced: {
      on: {
        ...given,
        JobAcked: { target: 'precommitting', actions: ['recordAck', effects('precommit', afterLateAck)] },
      },
    },
    precommitting: { on: { ...given, JobPrecommitted: { target: 'precommitted' }, RevealOpened: opened } },
    precommitted: { on: { ...given, RevealOpened: opened } },
    revealing: { on: { ...given, JobRevealed: { target: 'revealed' } } },
    revealed: { on: { ...given, ...disputes, JobDone: { target: 'done', actions: ['recordPay', 'forgetPrefix'] } } },
    done: {},
    cancelled: {},
    failed: {},
  },
});

/** The job machine as a pure function over events. */
export const foldJob = compileFold<JobContext>(jobMachine);
