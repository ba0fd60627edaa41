import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import type { Address } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, lessWei, subWei, zeroWei } from '../../src/core/wei.ts';
import { type AccessEvent, afterAccess, openToAll } from './access.ts';
import { emptyRouter, type KnownNode, type RouterContext } from './context.ts';
import { afterBatchBegun, afterBatchEnding, afterBatchOutcomes, afterBatchReveals } from './batch-effects.ts';
import {
  afterBegun,
  afterDropped,
  afterEnded,
  afterEnding,
  afterOutcomes,
  afterOutcomesBound,
  afterPrecommits,
  afterReveals,
  afterRevealsBound,
  type Batches,
  type BatchStep,
  noBatches,
} from './batches.ts';
import type { BatchEvent } from './batch-events.ts';
import { afterProposal } from './effects.ts';
import type { RouterEvent } from './events.ts';
import { findings, newcomer, reputationAfter } from './reputation.ts';

/** Goes up when the fold changes in a way that old snapshots cannot follow. */
export const routerMachineVersion = 4;

type Of<Type extends RouterEvent['type']> = Extract<RouterEvent, { type: Type }>;
/** The event's type is known where the transition stands; xstate's `setup` cannot see it. */
const as = <Type extends RouterEvent['type']>(event: RouterEvent): Of<Type> => event as Of<Type>;
type Nodes = RouterContext['nodes'];

function changeNode(nodes: Nodes, node: Address, change: (known: KnownNode) => Partial<KnownNode>): Nodes {
  const known = nodes[node];
  return known === undefined ? nodes : { ...nodes, [node]: { ...known, ...change(known) } };
}

/** What is known of a node that has just registered, beside its roles and its stake. */
const freshNode = {
  active: true,
  stakeMovedAt: [0, 0],
  level: 0,
  served: [],
  restUntil: 0,
  online: false,
  models: [],
  load: 0,
  failures: 0,
  coolDownUntil: 0,
  reputation: newcomer,
} as const;

function addLoad(nodes: Nodes, miners: readonly Address[], by: 1 | -1): Nodes {
  return miners.reduce((all, miner) => changeNode(all, miner, ({ load }) => ({ load: Math.max(0, load + by) })), nodes);
}

const batchesAfter: { readonly [Type in BatchEvent['type']]: (batches: Batches, event: Of<Type>) => Batches } = {
  BatchBegun: afterBegun,
  BatchDropped: afterDropped,
  BatchPrecommitsSeen: afterPrecommits,
  BatchRevealsBound: afterRevealsBound,
  BatchRevealsSeen: afterReveals,
  BatchOutcomesBound: afterOutcomesBound,
  BatchOutcomesSeen: afterOutcomes,
  BatchEnding: afterEnding,
  BatchEnded: afterEnded,
};

function foldBatches(batches: Batches, event: BatchEvent): Batches {
  return batchesAfter[event.type](batches, event as never);
}

function isIn(...steps: readonly BatchStep[]) {
  return ({ context, event }: { context: RouterContext; event: RouterEvent }): boolean => {
    const step = context.batches?.open[(event as BatchEvent).number]?.step;
    return step !== undefined && steps.includes(step);
  };
}

const routerSetup = setup({
  types: { context: {} as RouterContext, events: {} as RouterEvent },
  guards: {
    isNewNode: ({ context, event }) => context.nodes[as<'NodeJoined'>(event).node] === undefined,
    isKnownNode: ({ context, event }) => context.nodes[as<'NodeSeen'>(event).node] !== undefined,
    isNewTask: ({ context, event }) => context.assignments[as<'LoadTaken'>(event).task] === undefined,
    isMinerOfTask: ({ context, event }) => {
      const { task, miner } = as<'LoadMoved'>(event);
      return context.assignments[task]?.includes(miner) === true;
    },
    isAssigned: ({ context, event }) => context.assignments[as<'LoadReleased'>(event).task] !== undefined,
    isNewOutcome: ({ context, event }) => !context.outcomes.includes(as<'OutcomeRecorded'>(event).task),
    hasNoPendingAnchor: ({ context }) => context.pendingAnchor === null,
    hasPendingAnchor: ({ context }) => context.pendingAnchor !== null,
    isNewBatch: ({ context, event }) => {
      const { begun, open } = context.batches ?? noBatches;
      const { number } = as<'BatchBegun'>(event);
      return number === begun && open[number] === undefined;
    },
    isBegun: isIn('begun'),
    isPrecommitted: isIn('precommitted'),
    mayReveal: isIn('precommitted', 'showing'),
    isRevealed: isIn('revealed'),
    mayEnd: isIn('revealed', 'ending'),
    isPosted: isIn('posted'),
    isOnChain: isIn('precommitted', 'showing', 'revealed', 'ending', 'posted', 'finalising'),
    isNewerAnchor: ({ context, event }) => (context.lastAnchor?.epoch ?? 0) < as<'AnchorSeen'>(event).epoch,
  },
  actions: {
    configure: assign(({ event }) => ({ router: as<'RouterStarted'>(event).router })),
    addNode: assign(({ context, event }) => {
      const { node, roles, stakeWei } = as<'NodeJoined'>(event);
      return { nodes: { ...context.nodes, [node]: { ...freshNode, roles, stakeWei } } };
    }),
    setActivity: assign(({ context, event }) => {
      const { node, active } = as<'NodeActivitySet'>(event);
      return { nodes: changeNode(context.nodes, node, () => ({ active })) };
    }),
    reduceStake: assign(({ context, event }) => {
      const { node, amountWei, logIndex, seen } = as<'NodeSlashed'>(event);
      return {
        nodes: changeNode(context.nodes, node, ({ stakeWei }) => ({
          stakeWei: lessWei(stakeWei, amountWei) ? zeroWei : subWei(stakeWei, amountWei),
          stakeMovedAt: [seen.block, logIndex],
        })),
      };
    }),
    addStake: assign(({ context, event }) => {
      const { node, amountWei, logIndex, seen } = as<'NodeStakeAdded'>(event);
      return {
        nodes: changeNode(context.nodes, node, ({ stakeWei }) => ({
          stakeWei: addWei(stakeWei, amountWei),
          stakeMovedAt: [seen.block, logIndex],
        })),
      };
    }),
    serveModel: assign(({ context, event }) => {
      const { node, model } = as<'NodeServes'>(event);
      return {
        nodes: changeNode(context.nodes, node, ({ served }) => ({
          served: [...new Set([...served, model])].toSorted(),
        })),
      };
    }),
    dropModel: assign(({ context, event }) => {
      const { node, model } = as<'NodeDropsModel'>(event);
      return {
        nodes: changeNode(context.nodes, node, ({ served }) => ({ served: served.filter((one) => one !== model) })),
      };
    }),
    rest: assign(({ context, event }) => {
      const { node, restUntil } = as<'NodeRests'>(event);
      return { nodes: changeNode(context.nodes, node, () => ({ restUntil })) };
    }),
    setLevel: assign(({ context, event }) => {
      const { node, level } = as<'NodeLevelled'>(event);
      return { nodes: changeNode(context.nodes, node, () => ({ level })) };
    }),
    boundWeights: assign(({ event }) => ({ maxWeights: as<'WeightsBounded'>(event).maxWeights })),
    ruleAccess: assign(({ context, event }) => ({
      access: afterAccess(context.access ?? openToAll, event as AccessEvent),
    })),
    markOnline: assign(({ context, event }) => {
      const { node, models } = as<'NodeSeen'>(event);
      return { nodes: changeNode(context.nodes, node, () => ({ online: true, models })) };
    }),
    markOffline: assign(({ context, event }) => ({
      nodes: changeNode(context.nodes, as<'NodeLost'>(event).node, () => ({ online: false })),
    })),
    backOff: assign(({ context, event }) => {
      const { node, failures, coolDownUntil } = as<'NodeBackedOff'>(event);
      return { nodes: changeNode(context.nodes, node, () => ({ failures, coolDownUntil })) };
    }),
    takeLoad: assign(({ context, event }) => {
      const { task, miners } = as<'LoadTaken'>(event);
      return { assignments: { ...context.assignments, [task]: miners }, nodes: addLoad(context.nodes, miners, 1) };
    }),
    moveLoad: assign(({ context, event }) => {
      const { task, miner, replacement } = as<'LoadMoved'>(event);
      const added = replacement === null ? [] : [replacement];
      const miners = [...(context.assignments[task] ?? []).filter((other) => other !== miner), ...added];
      return {
        assignments: { ...context.assignments, [task]: miners },
        nodes: addLoad(addLoad(context.nodes, [miner], -1), added, 1),
      };
    }),
    releaseLoad: assign(({ context, event }) => {
      const { [as<'LoadReleased'>(event).task]: miners = [], ...assignments } = context.assignments;
      return { assignments, nodes: addLoad(context.nodes, miners, -1) };
    }),
    recordOutcome: assign(({ context, event }) => {
      const outcome = as<'OutcomeRecorded'>(event);
      let { nodes } = context;
      for (const [node, finding] of findings(outcome)) {
        nodes = changeNode(nodes, node, ({ reputation, failures, coolDownUntil }) => ({
          reputation: reputationAfter(reputation, finding, outcome.tokensPerSecond[node]),
          ...(finding === 'honest' ? { failures: 0, coolDownUntil: 0 } : { failures, coolDownUntil }),
        }));
      }
      return { nodes, outcomes: [...context.outcomes, outcome.task].slice(-limits.routerOutcomesKept) };
    }),
    proposeAnchor: assign(({ event }) => {
      const { root, manifest, commits } = as<'AnchorProposed'>(event);
      return { pendingAnchor: { root, manifest, commits } };
    }),
    recordAnchor: assign(({ context, event }) => {
      const { root, manifest, commits, epoch, by } = as<'AnchorSeen'>(event);
      const { pendingAnchor } = context;
      return {
        lastAnchor: { root, manifest, commits, epoch, by },
        pendingAnchor: by === context.router ? null : pendingAnchor,
      };
    }),
    foldBatches: assign(({ context, event }) => ({
      batches: foldBatches(context.batches ?? noBatches, event as BatchEvent),
    })),
    postBatch: effectAction,
    dropAnchor: assign(() => ({ pendingAnchor: null })),
    anchorOnChain: effectAction,
  },
});

const book = {
  NodeJoined: { guard: 'isNewNode', actions: 'addNode' },
  NodeActivitySet: { guard: 'isKnownNode', actions: 'setActivity' },
  NodeSlashed: { guard: 'isKnownNode', actions: 'reduceStake' },
  NodeStakeAdded: { guard: 'isKnownNode', actions: 'addStake' },
  NodeServes: { guard: 'isKnownNode', actions: 'serveModel' },
  NodeDropsModel: { guard: 'isKnownNode', actions: 'dropModel' },
  NodeRests: { guard: 'isKnownNode', actions: 'rest' },
  NodeLevelled: { guard: 'isKnownNode', actions: 'setLevel' },
  WeightsBounded: { actions: 'boundWeights' },
  AccountListed: { actions: 'ruleAccess' },
  OthersRuled: { actions: 'ruleAccess' },
  NodeSeen: { guard: 'isKnownNode', actions: 'markOnline' },
  NodeLost: { guard: 'isKnownNode', actions: 'markOffline' },
  NodeBackedOff: { guard: 'isKnownNode', actions: 'backOff' },
  LoadTaken: { guard: 'isNewTask', actions: 'takeLoad' },
  LoadMoved: { guard: 'isMinerOfTask', actions: 'moveLoad' },
  LoadReleased: { guard: 'isAssigned', actions: 'releaseLoad' },
  OutcomeRecorded: { guard: 'isNewOutcome', actions: 'recordOutcome' },
  AnchorProposed: { guard: 'hasNoPendingAnchor', actions: ['proposeAnchor', effects('anchorOnChain', afterProposal)] },
  AnchorSeen: { guard: 'isNewerAnchor', actions: 'recordAnchor' },
  AnchorFailed: { guard: 'hasPendingAnchor', actions: 'dropAnchor' },
  BatchBegun: { guard: 'isNewBatch', actions: [effects('postBatch', afterBatchBegun), 'foldBatches'] },
  BatchDropped: { guard: 'isBegun', actions: 'foldBatches' },
  BatchPrecommitsSeen: { guard: 'isBegun', actions: 'foldBatches' },
  BatchRevealsBound: { guard: 'isPrecommitted', actions: [effects('postBatch', afterBatchReveals), 'foldBatches'] },
  BatchRevealsSeen: { guard: 'mayReveal', actions: 'foldBatches' },
  BatchOutcomesBound: { guard: 'isRevealed', actions: [effects('postBatch', afterBatchOutcomes), 'foldBatches'] },
  BatchOutcomesSeen: { guard: 'mayEnd', actions: 'foldBatches' },
  BatchEnding: { guard: 'isPosted', actions: [effects('postBatch', afterBatchEnding), 'foldBatches'] },
  BatchEnded: { guard: 'isOnChain', actions: 'foldBatches' },
} as const;

/** A router's book about the network. Used as a fold over events. */
export const routerMachine = routerSetup.createMachine({
  id: 'router',
  context: emptyRouter,
  initial: 'offline',
  states: {
    offline: { on: { RouterStarted: { target: 'serving', actions: 'configure' } } },
    serving: { on: { ...book, RouterDraining: { target: 'draining' } } },
    draining: { on: { ...book, RouterStarted: { target: 'serving', actions: 'configure' } } },
  },
});

/** The router machine as a pure function over events. */
export const foldRouter = compileFold<RouterContext>(routerMachine);
