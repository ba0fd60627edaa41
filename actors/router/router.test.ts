import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  client,
  fact,
  genesisAt,
  miners,
  olga,
  otto,
  router,
  session,
  task,
  vera,
} from '../../test/actors/chain-facts.ts';
import { manifest } from '../../test/actors/samples/task.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { keccak256 } from '../../src/core/hash.ts';
import type { Address } from '../../src/core/ids.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { oneCor, timesWei, zeroWei } from '../../src/core/wei.ts';
import { type CandidateQuery, candidates, nodeWeight, selectionWeight } from './candidates.ts';
import type { RouterContext } from './context.ts';
import { coolDownMs } from './back-off.ts';
import type { RouterCommand } from './decide.ts';
import { routerActor } from './definition.ts';
import { newcomer, reputationAfter } from './reputation.ts';

const model = 'pebble-chat';
const stakeWei = timesWei(oneCor, 100);
const about = { session, task } as const;
const see = (block: number, body: ChainFactBody, logIndex = 0): RouterCommand => ({
  type: 'SeeFact',
  fact: fact(block, body, logIndex),
});
const registered = (node: Address, role: 'miner' | 'validator' | 'client' = 'miner') =>
  see(1, { type: 'NodeRegistered', node, number: 1, roles: [role], key: bytes32(1), stakeWei, metadataUri: '' });
const serves = (node: Address, served = model) => see(1, { type: 'ModelServed', node, model: served }, 1);
const assigned = (id = task, to: readonly Address[] = [alice, bob]) =>
  see(3, {
    type: 'MinersAssigned',
    session,
    task: id,
    miners: to,
    validators: [vera],
    beaconBlock: 2,
    beacon: bytes32(2),
    selectionDigest: bytes32(3),
    ackBy: genesisAt,
  });
const settled = see(9, {
  type: 'TaskSettled',
  ...about,
  priceWei: zeroWei,
  returnedWei: zeroWei,
  payments: [],
  manifestDigest: bytes32(1),
});

function book(...nodes: readonly Address[]): ActorRun<RouterContext, RouterCommand> {
  const run = new ActorRun<RouterContext, RouterCommand>(routerActor);
  run.tell({ type: 'StartRouter', router });
  for (const node of nodes) {
    run.tell(registered(node));
    run.tell(serves(node));
    run.tell({ type: 'SeeNode', node, models: [model] });
  }
  return run;
}

/** Those of a new deployment. */
const maxWeights = Array.from({ length: 11 }, (_, level) => 2_000 + 200 * level);
const anyone: CandidateQuery = { role: 'miner', model, allowed: [], exclude: [], now: genesisAt };
const names = (run: ReturnType<typeof book>, query: Partial<CandidateQuery> = {}) =>
  candidates(run.state.context, { ...anyone, now: run.now, ...query }).map(({ node }) => node);
const nodeOf = (run: ReturnType<typeof book>, node: Address) => run.state.context.nodes[node]!;

describe('presence', () => {
  test('is written when it changes, not with every heartbeat', () => {
    const run = book(alice);
    expect(run.types({ type: 'SeeNode', node: alice, models: [model] })).toEqual([]);
    expect(run.types({ type: 'SeeNode', node: alice, models: [model, 'b', 'a', 'a'] })).toEqual(['NodeSeen']);
    expect(nodeOf(run, alice).models).toEqual(['a', 'b', model]);
    expect(run.types({ type: 'LoseNode', node: alice })).toEqual(['NodeLost']);
    expect(run.types({ type: 'LoseNode', node: alice })).toEqual([]);
    expect(run.types({ type: 'SeeNode', node: alice, models: ['a', 'b', model] })).toEqual(['NodeSeen']);
  });

  test('of a node that is not registered is passed over', () => {
    expect(book().types({ type: 'SeeNode', node: alice, models: [] })).toEqual([]);
  });

  test('has a bound on models', () => {
    const models = Array.from({ length: limits.nodeModelsMax + 1 }, (_, index) => `m${index}`);
    const run = book(alice);
    expect(run.types({ type: 'SeeNode', node: alice, models: models.slice(1) })).toEqual(['NodeSeen']);
    expect(run.tell({ type: 'SeeNode', node: alice, models }).rejection?.code).toBe('too_many_models');
  });
});

describe('candidates', () => {
  test('are the active nodes that are heard of and serve the model, in order of address', () => {
    const run = book(carol, alice, bob);
    run.tell(registered(vera, 'validator'));
    run.tell({ type: 'SeeNode', node: vera, models: [] });
    expect(names(run)).toEqual([alice, bob, carol]);
    expect(names(run, { role: 'validator', model: null })).toEqual([vera]);
    expect(names(run, { model: 'other' })).toEqual([]);
    expect(names(run, { allowed: [bob, olga] })).toEqual([bob]);
    expect(names(run, { exclude: [bob] })).toEqual([alice, carol]);
    run.tell({ type: 'LoseNode', node: alice });
    run.tell(see(5, { type: 'NodeActiveSet', node: bob, active: false }));
    expect(names(run)).toEqual([carol]);
  });

  test('never include a client', () => {
    const run = book();
    expect(run.types(registered(client, 'client'))).toEqual([]);
  });

  test('are left alone after a failure, ever longer, until they do well', () => {
    const run = book(alice);
    const fail: RouterCommand = { type: 'ReportFailure', node: alice, reason: 'no responders' };
    run.tell(fail);
    expect(names(run)).toEqual([]);
    expect(names(run, { now: run.now + limits.nodeCoolDownMsMin })).toEqual([alice]);
    run.tell(fail);
    expect(names(run, { now: run.now + limits.nodeCoolDownMsMin })).toEqual([]);
    expect(names(run, { now: run.now + 2 * limits.nodeCoolDownMsMin })).toEqual([alice]);
    run.tell({ type: 'RecordOutcome', task, honest: [alice], outliers: [], timedOut: [] });
    expect(nodeOf(run, alice)).toMatchObject({ failures: 0, coolDownUntil: 0 });
  });

  test('are never left alone for longer than the bound', () => {
    expect(coolDownMs(1)).toBe(limits.nodeCoolDownMsMin);
    expect(coolDownMs(60)).toBe(limits.nodeCoolDownMsMax);
    expect(coolDownMs(5_000)).toBe(limits.nodeCoolDownMsMax);
  });
});

describe('the weight of a selection', () => {
  const fresh = { reputation: newcomer, load: 0, stakeWei, level: 0 };

  test('is the published formula', () => {
    expect(selectionWeight(fresh)).toBe(Math.round(1e6 * (0.05 + 0.95 * 0.5) * (1 + Math.log10(101) / 10)));
    expect(selectionWeight({ ...fresh, load: 3 })).toBe(Math.round(selectionWeight(fresh) / 4));
    expect(selectionWeight({ ...fresh, stakeWei: zeroWei })).toBe(525_000);
    expect(selectionWeight({ ...fresh, stakeWei: zeroWei, level: 10 })).toBe(1_050_000);
  });

  test('rises with reputation and stake, and is never nothing', () => {
    expect(selectionWeight({ ...fresh, reputation: reputationAfter(newcomer, 'honest') })).toBeGreaterThan(
      selectionWeight(fresh),
    );
    expect(selectionWeight({ ...fresh, stakeWei: timesWei(stakeWei, 10) })).toBeGreaterThan(selectionWeight(fresh));
    const worst = { ...newcomer, accuracy: 0, success: 0, timeliness: 0 };
    expect(selectionWeight({ reputation: worst, load: 1_000_000_000, stakeWei: zeroWei, level: 0 })).toBe(1);
    const best = { ...newcomer, accuracy: 1, success: 1, timeliness: 1 };
    for (const [level, bound] of maxWeights.entries()) {
      const most = selectionWeight({ reputation: best, load: 0, stakeWei: timesWei(oneCor, 1_000_000_000), level });
      expect(most, 'no formula needs more than a level may have at first').toBeLessThan(bound * 1_000);
    }
  });
});

describe('what the registry says of a node', () => {
  const weightOf = (run: ReturnType<typeof book>, node: Address) =>
    candidates(run.state.context, { ...anyone, now: run.now }).find((one) => one.node === node)?.weight;

  test('decides which models it may be chosen for, whatever its heartbeat says', () => {
    const run = book(alice, bob);
    run.tell({ type: 'SeeNode', node: alice, models: [model, 'other'] });
    expect(names(run, { model: 'other' })).toEqual([]);
    expect(run.types(serves(alice, 'other'))).toEqual(['NodeServes']);
    expect(run.types(serves(alice, 'other'))).toEqual([]);
    expect(names(run, { model: 'other' })).toEqual([alice]);
    const dropped = see(5, { type: 'ModelDropped', node: bob, modelHash: keccak256(model) });
    expect(run.types(dropped)).toEqual(['NodeDropsModel']);
    expect(run.types(dropped)).toEqual([]);
    expect(names(run)).toEqual([alice]);
    run.tell({ type: 'SeeNode', node: alice, models: ['other'] });
    expect(names(run), 'nor the registry without a heartbeat').toEqual([]);
  });

  test('keeps it from work until its time is over, by a second more than the clock says', () => {
    const run = book(alice, bob);
    const coolUntilAt = run.now + 30_000;
    const cooled = see(5, { type: 'NodeCooledDown', node: alice, coolUntilAt });
    expect(run.types(cooled)).toEqual(['NodeRests']);
    expect(run.types(cooled), 'a repeated fact').toEqual([]);
    expect(run.types(see(6, { type: 'NodeCooledDown', node: alice, coolUntilAt: coolUntilAt - 1 }))).toEqual([]);
    for (const evenCooling of [false, true]) {
      expect(names(run, { now: coolUntilAt + 999, evenCooling })).toEqual([bob]);
      expect(names(run, { now: coolUntilAt + 1_000, evenCooling })).toEqual([alice, bob]);
    }
  });

  test('raises its weight with its level, and bounds it by that of the level', () => {
    const run = book(alice, bob);
    const before = weightOf(run, alice) ?? 0;
    const levelled = see(5, { type: 'NodeLevelSet', node: alice, level: 5 });
    expect(run.types(levelled)).toEqual(['NodeLevelled']);
    expect(run.types(levelled)).toEqual([]);
    expect(weightOf(run, alice)).toBeCloseTo(before * 1.5, -1);
    const tight = see(6, { type: 'MaxWeightsSet', maxWeights: maxWeights.map((_, level) => 200 + 10 * level) });
    expect(run.types(tight)).toEqual(['WeightsBounded']);
    expect(run.types(tight)).toEqual([]);
    expect([weightOf(run, alice), weightOf(run, bob)]).toEqual([250_000, 200_000]);
    expect(nodeWeight({ maxWeights }, nodeOf(run, alice))).toBeGreaterThan(250_000);
  });

  test('counts each stake that it adds once', () => {
    const run = book(alice);
    const added = see(5, { type: 'StakeAdded', node: alice, amountWei: stakeWei }, 3);
    expect(run.types(added)).toEqual(['NodeStakeAdded']);
    expect(run.types(added)).toEqual([]);
    expect(nodeOf(run, alice).stakeWei).toBe(timesWei(stakeWei, 2));
    const slash = {
      type: 'StakeSlashed',
      node: alice,
      ref: bytes32(1),
      amountWei: stakeWei,
      reason: 'outlier',
    } as const;
    expect(run.types(see(5, slash, 2)), 'told before').toEqual([]);
    expect(run.types(see(5, slash, 4))).toEqual(['NodeSlashed']);
    expect(nodeOf(run, alice).stakeWei).toBe(stakeWei);
  });

  test('is nothing for who is not registered', () => {
    const run = book();
    for (const body of [
      { type: 'ModelServed', node: alice, model },
      { type: 'ModelDropped', node: alice, modelHash: keccak256(model) },
      { type: 'NodeCooledDown', node: alice, coolUntilAt: run.now + 1 },
      { type: 'NodeLevelSet', node: alice, level: 1 },
      { type: 'StakeAdded', node: alice, amountWei: stakeWei },
    ] as const)
      expect(run.types(see(2, body))).toEqual([]);
  });
});

describe('load', () => {
  test('is taken, moved and released by the chain, once each', () => {
    const run = book(...miners);
    expect(run.types(assigned())).toEqual(['LoadTaken']);
    expect(run.types(assigned())).toEqual([]);
    const moved = see(5, {
      type: 'MinerReassigned',
      ...about,
      miner: bob,
      replacement: carol,
      attempt: 1,
      oracle: olga,
      ackBy: 0,
    });
    expect(run.types(moved)).toEqual(['LoadMoved', 'NodeBackedOff']);
    expect(run.types(moved)).toEqual([]);
    expect(miners.map((miner) => nodeOf(run, miner).load)).toEqual([1, 0, 1, 0]);
    expect(run.types(settled)).toEqual(['LoadReleased']);
    expect(run.types(settled)).toEqual([]);
    expect(miners.map((miner) => nodeOf(run, miner).load)).toEqual([0, 0, 0, 0]);
  });

  test('is not counted beyond the bound of tasks', () => {
    const run = book(alice);
    const ids = Array.from({ length: limits.routerAssignmentsMax - 1 }, (_, index) => bytes32(index + 2) as TaskId);
    run.checksJson = false;
    run.state = {
      ...run.state,
      context: { ...run.state.context, assignments: Object.fromEntries(ids.map((id) => [id, []])) },
    };
    expect(run.types(assigned())).toEqual(['LoadTaken']);
    expect(run.types(assigned(taskId(session, bytes32(0))))).toEqual([]);
  });
});

describe('outcomes', () => {
  const outcome: RouterCommand = {
    type: 'RecordOutcome',
    task,
    honest: [alice],
    outliers: [bob],
    timedOut: [carol],
    tokensPerSecond: { [alice]: 30 },
  };

  test('make reputations, once per task', () => {
    const run = book(alice, bob, carol);
    expect(run.types(outcome)).toEqual(['OutcomeRecorded', 'NodeBackedOff']);
    expect(run.types(outcome)).toEqual([]);
    expect(nodeOf(run, alice).reputation).toEqual(reputationAfter(newcomer, 'honest', 30));
    expect(nodeOf(run, bob)).toMatchObject({ reputation: reputationAfter(newcomer, 'outlier'), failures: 1 });
    expect(nodeOf(run, carol)).toMatchObject({ reputation: reputationAfter(newcomer, 'timedOut'), failures: 0 });
  });

  test('are remembered up to a bound, the newest', () => {
    const run = book(alice);
    const old = Array.from({ length: limits.routerOutcomesKept }, (_, index) => bytes32(index + 2) as TaskId);
    run.state = { ...run.state, context: { ...run.state.context, outcomes: old } };
    run.tell(outcome);
    expect(run.state.context.outcomes).toHaveLength(limits.routerOutcomesKept);
    expect(run.state.context.outcomes.at(-1)).toBe(task);
    expect(run.state.context.outcomes).not.toContain(old[0]);
  });
});

describe('stake', () => {
  test('falls with each slash, and never below nothing', () => {
    const run = book(alice);
    const slash = (block: number, logIndex: number, amountWei = timesWei(oneCor, 60)) =>
      see(block, { type: 'StakeSlashed', node: alice, ref: task, amountWei, reason: 'outlier' }, logIndex);
    expect(run.types(slash(5, 1))).toEqual(['NodeSlashed']);
    expect(run.types(slash(5, 1))).toEqual([]);
    expect(nodeOf(run, alice).stakeWei).toBe(timesWei(oneCor, 40));
    expect(run.types(slash(5, 2))).toEqual(['NodeSlashed']);
    expect(nodeOf(run, alice).stakeWei).toBe('0');
  });
});

describe('anchors', () => {
  const due: RouterCommand = { type: 'AnchorDue', root: bytes32(5), manifest, commits: 12 };
  const anchored = (epoch: number, by = router, root = bytes32(5)) =>
    see(10 + epoch, { type: 'LogAnchored', epoch, by, root, manifestDigest: cidToDigest(manifest), commits: 12 });

  test('are proposed one at a time and seen on chain', () => {
    const run = book();
    expect(run.tell(due).effects).toEqual([
      { kind: 'anchorOnChain', root: bytes32(5), manifestDigest: cidToDigest(manifest), commits: 12 },
    ]);
    expect(run.types(due)).toEqual([]);
    expect(run.tell({ ...due, root: bytes32(6) }).rejection?.code).toBe('anchor_pending');
    expect(run.types(anchored(1))).toEqual(['AnchorSeen']);
    expect(run.types(anchored(1))).toEqual([]);
    expect(run.state.context).toMatchObject({
      pendingAnchor: null,
      lastAnchor: { epoch: 1, by: router, root: bytes32(5), manifest },
    });
    expect(run.types(due)).toEqual([]);
  });

  test('of another router do not end one that is under way', () => {
    const run = book();
    run.tell(due);
    run.tell(anchored(1, otto, bytes32(7)));
    expect(run.state.context).toMatchObject({ pendingAnchor: { root: bytes32(5) }, lastAnchor: { by: otto } });
  });

  test('that the chain refuses make room for the next', () => {
    const run = book();
    const failed: RouterCommand = {
      type: 'EffectFailed',
      effect: 'anchorOnChain',
      code: 'chain_reverted',
      reason: 'NodeNotActive',
    };
    expect(run.types(failed)).toEqual([]);
    run.tell(due);
    expect(run.types(failed)).toEqual(['AnchorFailed']);
    expect(run.types({ ...due, root: bytes32(6) })).toEqual(['AnchorProposed']);
  });
});

describe('a router', () => {
  test('starts once, drains and starts again', () => {
    const run = book();
    expect(run.types({ type: 'StartRouter', router })).toEqual([]);
    expect(run.types({ type: 'DrainRouter' })).toEqual(['RouterDraining']);
    expect(run.types({ type: 'DrainRouter' })).toEqual([]);
    expect(run.types({ type: 'StartRouter', router })).toEqual(['RouterStarted']);
    expect(run.tell({ type: 'StartRouter', router: otto }).rejection?.code).toBe('wrong_stream');
  });

  test('refuses everything before', () => {
    const run = new ActorRun<RouterContext, RouterCommand>(routerActor);
    expect(run.tell(registered(alice)).rejection?.code).toBe('router_not_started');
  });

  test('knows a bounded number of nodes', () => {
    const run = book(alice);
    const known = nodeOf(run, alice);
    const many = Array.from({ length: limits.routerNodesMax - 1 }, (_, index) => [
      `0x${(index + 1_000).toString(16).padStart(40, '0')}`,
      known,
    ]);
    run.checksJson = false;
    run.state = {
      ...run.state,
      context: { ...run.state.context, nodes: Object.fromEntries(many) as RouterContext['nodes'] },
    };
    expect(run.types(registered(bob))).toEqual(['NodeJoined']);
    expect(run.types(registered(carol))).toEqual([]);
  });
});
