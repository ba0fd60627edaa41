import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { emptyMiner, type MinerContext } from './context.ts';
import { jobEventTypes, type MinerEvent, type MinerStarted } from './events.ts';
import { jobEffects, jobsAfter, jobTakes, leavesIdle, openJobCount } from './jobs.ts';

/** Goes up when the fold of a miner or of its jobs changes in a way that old snapshots cannot follow. */
export const minerMachineVersion = 2;

const minerSetup = setup({
  types: { context: {} as MinerContext, events: {} as MinerEvent },
  guards: {
    jobTakes: ({ context, event }) => jobTakes(context, event),
    jobTakesAndLeavesIdle: ({ context, event }) => jobTakes(context, event) && leavesIdle(context, event),
    hasOpenJobs: ({ context }) => openJobCount(context) > 0,
  },
  actions: {
    configure: assign(({ event }) => {
      const { miner, models, capacity, appeals } = event as MinerStarted;
      return { miner, models, capacity, appeals: appeals === true };
    }),
    foldJob: assign(({ context, event }) => jobsAfter(context, event)),
    runJobEffects: effectAction,
  },
});

const step = [
  effects('runJobEffects', ({ context, event }: { context: MinerContext; event: MinerEvent }) =>
    jobEffects(context, event),
  ),
  'foldJob',
] as const;

/** An event of a job moves the job; `whenIdle` is where the miner goes when that was the last one under way. */
function jobTransitions<Target extends string>(whenIdle: Target) {
  const transitions = [
    { guard: 'jobTakesAndLeavesIdle', target: whenIdle, actions: step },
    { guard: 'jobTakes', actions: step },
  ] as const;
  return Object.fromEntries(jobEventTypes.map((type) => [type, transitions])) as Record<
    (typeof jobEventTypes)[number],
    typeof transitions
  >;
}

const { JobReceived: _, ...jobsToTheirEnd } = jobTransitions('drained');
const started = [
  { guard: 'hasOpenJobs', target: 'busy', actions: 'configure' },
  { target: 'idle', actions: 'configure' },
] as const;

/** A miner with its jobs inside, so that one ordered log replays all it did. Used as a fold over events. */
export const minerMachine = minerSetup.createMachine({
  id: 'miner',
  context: emptyMiner,
  initial: 'offline',
  states: {
    offline: { on: { MinerStarted: started } },
    idle: {
      on: {
        MinerStarted: { actions: 'configure' },
        MinerDraining: { target: 'drained' },
        JobReceived: { guard: 'jobTakes', target: 'busy', actions: step },
      },
    },
    busy: {
      on: { ...jobTransitions('idle'), MinerStarted: { actions: 'configure' }, MinerDraining: { target: 'draining' } },
    },
    draining: { on: { ...jobsToTheirEnd, MinerStarted: started } },
    drained: { on: { MinerStarted: started } },
  },
});

/** The miner machine as a pure function over events. */
export const foldMiner = compileFold<MinerContext>(minerMachine);
