import type { ChainFact } from '../../src/core/chain-fact.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { accept, type Decision, type Env, unchanged } from '../../src/core/decision.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { seenAt } from '../task/events.ts';
import { backOff } from './back-off.ts';
import { seeBatch } from './batches.ts';
import type { KnownNode, RouterContext } from './context.ts';
import type { RouterEvent } from './events.ts';

/** What a fact of the chain leads to in the book. Facts seen before change nothing. */
export function seeFact(context: RouterContext, fact: ChainFact, env: Env): Decision<RouterEvent> {
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'NodeRegistered': {
      const { node, roles, stakeWei } = fact;
      const isFull = Object.keys(context.nodes).length >= limits.routerNodesMax;
      if (roles.every((role) => role === 'client') || context.nodes[node] !== undefined || isFull) return unchanged;
      return accept({ type: 'NodeJoined', node, roles, stakeWei, seen });
    }
    case 'MaxWeightsSet': {
      const { maxWeights } = fact;
      const isSame = context.maxWeights?.every((weight, level) => weight === maxWeights[level]) === true;
      return isSame ? unchanged : accept({ type: 'WeightsBounded', maxWeights, seen });
    }
    case 'AccessSet': {
      const { router, account, access } = fact;
      const listing = access === 'unlisted' ? null : access;
      const isSame = (context.access?.listed[account] ?? null) === listing;
      return router !== context.router || isSame
        ? unchanged
        : accept({ type: 'AccountListed', account, listing, seen });
    }
    case 'ExclusiveSet': {
      const { router, exclusive } = fact;
      const isSame = (context.access?.exclusive ?? false) === exclusive;
      return router !== context.router || isSame
        ? unchanged
        : accept({ type: 'OthersRuled', served: !exclusive, seen });
    }
    case 'LogAnchored': {
      const { epoch, by, root, commits } = fact;
      if (epoch <= (context.lastAnchor?.epoch ?? 0)) return unchanged;
      return accept({ type: 'AnchorSeen', epoch, by, root, manifest: digestToCid(fact.manifestDigest), commits, seen });
    }
    case 'BatchPrecommitted':
    case 'BatchRevealed':
    case 'BatchPosted':
    case 'BatchFinal':
    case 'BatchVoid':
      return seeBatch(context, fact, fact.place);
    default:
      return isOfNode(fact) ? seeNodeFact(context, fact) : seeLoad(context, fact, env);
  }
}

/** What the registry says of a node that is registered. */
type NodeFact = Extract<
  ChainFact,
  {
    readonly type:
      | 'NodeActiveSet'
      | 'StakeSlashed'
      | 'StakeAdded'
      | 'ModelServed'
      | 'ModelDropped'
      | 'NodeCooledDown'
      | 'NodeLevelSet';
  }
>;

const nodeFacts: ReadonlySet<ChainFact['type']> = new Set<NodeFact['type']>([
  'NodeActiveSet',
  'StakeSlashed',
  'StakeAdded',
  'ModelServed',
  'ModelDropped',
  'NodeCooledDown',
  'NodeLevelSet',
]);

function isOfNode(fact: ChainFact): fact is NodeFact & ChainFact {
  return nodeFacts.has(fact.type);
}

function seeNodeFact(context: RouterContext, fact: NodeFact): Decision<RouterEvent> {
  const { node } = fact;
  const known = context.nodes[node];
  if (known === undefined) return unchanged;
  const event = nodeEvent(known, fact);
  return event === undefined ? unchanged : accept<RouterEvent>(event);
}

function nodeEvent(known: KnownNode, fact: NodeFact): RouterEvent | undefined {
  const { node, place } = fact;
  const seen = seenAt(place);
  switch (fact.type) {
    case 'NodeActiveSet':
      return known.active === fact.active ? undefined : { type: 'NodeActivitySet', node, active: fact.active, seen };
    case 'StakeSlashed':
    case 'StakeAdded': {
      if (!isNewMove(known, fact)) return undefined;
      const type = fact.type === 'StakeAdded' ? 'NodeStakeAdded' : 'NodeSlashed';
      return { type, node, amountWei: fact.amountWei, logIndex: place.logIndex, seen };
    }
    case 'ModelServed':
      return known.served.includes(fact.model) ? undefined : { type: 'NodeServes', node, model: fact.model, seen };
    case 'ModelDropped': {
      const model = known.served.find((one) => keccak256(one) === fact.modelHash);
      return model === undefined ? undefined : { type: 'NodeDropsModel', node, model, seen };
    }
    case 'NodeCooledDown': {
      // The registry never shortens a time: an earlier one was told before.
      const { coolUntilAt } = fact;
      return coolUntilAt <= known.restUntil ? undefined : { type: 'NodeRests', node, restUntil: coolUntilAt, seen };
    }
    case 'NodeLevelSet':
      return known.level === fact.level ? undefined : { type: 'NodeLevelled', node, level: fact.level, seen };
  }
}

function isNewMove({ stakeMovedAt: [block, logIndex] }: KnownNode, { place }: NodeFact): boolean {
  return place.block > block || (place.block === block && place.logIndex > logIndex);
}

function seeLoad(context: RouterContext, fact: ChainFact, env: Env): Decision<RouterEvent> {
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'MinersAssigned': {
      const { task, miners } = fact;
      const isFull = Object.keys(context.assignments).length >= limits.routerAssignmentsMax;
      if (context.assignments[task] !== undefined || context.outcomes.includes(task) || isFull) return unchanged;
      return accept({ type: 'LoadTaken', task, miners, seen });
    }
    case 'MinerReassigned': {
      const { task, miner, replacement } = fact;
      if (context.assignments[task]?.includes(miner) !== true) return unchanged;
      return accept<RouterEvent>(
        { type: 'LoadMoved', task, miner, replacement, seen },
        ...backOff(context, miner, 'timed out', env),
      );
    }
    case 'TaskSettled':
    case 'TaskRefunded':
      return context.assignments[fact.task] === undefined
        ? unchanged
        : accept<RouterEvent>({ type: 'LoadReleased', task: fact.task, seen });
    default:
      return unchanged;
  }
}
