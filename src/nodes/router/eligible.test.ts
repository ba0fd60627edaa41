import { describe, expect, test } from 'vitest';
import type { CandidateQuery } from '../../../actors/router/candidates.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import { coolDownMs } from '../../../actors/router/back-off.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import { routerActor } from '../../../actors/router/definition.ts';
import { ActorRun } from '../../../test/actors/actor-run.ts';
import { alice, bob, bytes32, carol, fact, router } from '../../../test/actors/chain-facts.ts';
import { keccak256 } from '../../core/hash.ts';
import type { Address, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { oneCor, timesWei } from '../../core/wei.ts';
import { deadAfterMs, Presence } from '../presence.ts';
import { rankByRendezvous } from '../../core/selection.ts';
import { eligible, isModelServed, reservedFirst } from './eligible.ts';

const model = 'pebble-chat';

function network(...miners: readonly Address[]) {
  const run = new ActorRun<RouterContext, RouterCommand>(routerActor);
  const presence = new Presence();
  run.tell({ type: 'StartRouter', router });
  const beat = (node: Address, draining = false): void => {
    presence.beat(node, { role: 'miner', models: [model], load: 0, capacity: 4, draining, at: run.now }, run.now);
  };
  for (const node of miners) {
    const stakeWei = timesWei(oneCor, 100);
    run.tell({
      type: 'SeeFact',
      fact: fact(1, {
        type: 'NodeRegistered',
        node,
        number: 1,
        roles: ['miner'],
        key: bytes32(1),
        stakeWei,
        metadataUri: '',
      }),
    });
    run.tell({ type: 'SeeFact', fact: fact(1, { type: 'ModelServed', node, model }, 1) });
    run.tell({ type: 'SeeNode', node, models: [model] });
    beat(node);
  }
  const names = (wanted = 1, more: Partial<CandidateQuery> = {}): readonly Address[] => {
    const query = { role: 'miner', model, allowed: [], exclude: [], now: run.now, ...more } as const;
    return eligible({ book: run.state.context, presence }, query, wanted).map(({ node }) => node);
  };
  const fail = (node: Address): void => void run.tell({ type: 'ReportFailure', node, reason: 'timed out' });
  return { run, beat, names, fail };
}

describe('a miner', () => {
  test('whose heart has stopped is chosen no longer, before the book says that it is lost', () => {
    const { run, beat, names } = network(alice, bob);
    run.now += deadAfterMs / 2;
    beat(bob);
    run.now += deadAfterMs / 2;
    beat(bob);
    expect(names()).toEqual([alice, bob]);
    run.now += 1;
    expect(run.state.context.nodes[alice]?.online).toBe(true);
    expect(names()).toEqual([bob]);
    expect(names(2)).toEqual([bob]);
    beat(alice);
    expect(names()).toEqual([alice, bob]);
  });

  test('that drains is not chosen', () => {
    const { beat, names } = network(alice, bob);
    beat(alice, true);
    expect(names(2)).toEqual([bob]);
    beat(alice);
    expect(names(2)).toEqual([alice, bob]);
  });

  test('that the session does not name is not chosen where it names its miners, however few these are', () => {
    const { beat, names } = network(alice, bob, carol);
    expect(names(2, { allowed: [bob] })).toEqual([bob]);
    beat(bob, true);
    expect(names(2, { allowed: [bob] })).toEqual([]);
  });
});

describe('a miner that the registry keeps from work', () => {
  test('is not chosen before its time, however few the others are', () => {
    const { run, beat, names } = network(alice, bob);
    const coolUntilAt = run.now + 30_000;
    run.tell({ type: 'SeeFact', fact: fact(5, { type: 'NodeCooledDown', node: alice, coolUntilAt }) });
    expect(names(2)).toEqual([bob]);
    run.now = coolUntilAt + 1_000;
    beat(alice);
    beat(bob);
    expect(names(2)).toEqual([alice, bob]);
  });
});

describe('a model', () => {
  test('is served while an active miner has it in the registry, alive or not', () => {
    const { run } = network(alice);
    const isServedBy = () => isModelServed({ book: run.state.context, presence: new Presence() }, model);
    run.tell({ type: 'LoseNode', node: alice });
    expect(isServedBy()).toBe(true);
    run.tell({ type: 'SeeFact', fact: fact(5, { type: 'NodeActiveSet', node: alice, active: false }) });
    expect(isServedBy()).toBe(false);
    run.tell({ type: 'SeeFact', fact: fact(6, { type: 'NodeActiveSet', node: alice, active: true }) });
    expect(isServedBy()).toBe(true);
    const refusal = { type: 'AccessSet', router, account: alice, access: 'refused' } as const;
    run.tell({ type: 'SeeFact', fact: fact(7, refusal) });
    expect(isServedBy()).toBe(false);
    run.tell({ type: 'SeeFact', fact: fact(7, { ...refusal, access: 'unlisted' }) });
    expect(isServedBy()).toBe(true);
    run.tell({ type: 'SeeFact', fact: fact(7, { type: 'ModelDropped', node: alice, modelHash: keccak256(model) }) });
    expect(isServedBy()).toBe(false);
  });
});

describe('a miner that has failed', () => {
  test('is left alone to the millisecond of its cool-down', () => {
    const { run, beat, names, fail } = network(alice, bob);
    fail(alice);
    const until = run.now + limits.nodeCoolDownMsMin;
    for (const [now, expected] of [
      [until - 1, [bob]],
      [until, [alice, bob]],
    ] as const) {
      run.now = now;
      beat(alice);
      beat(bob);
      expect(names()).toEqual(expected);
    }
  });

  test('is left alone twice as long with each failure, up to the bound', () => {
    const times = Array.from({ length: 12 }, (_, failures) => coolDownMs(failures + 1));
    expect(times.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBe(limits.nodeCoolDownMsMax);
  });

  test('comes back before its time where the others are too few, the one first that has cooled longest', () => {
    const { run, names, fail } = network(alice, bob, carol);
    fail(alice);
    run.now += 10;
    fail(bob);
    expect(names(1)).toEqual([carol]);
    expect(names(2)).toEqual([alice, carol]);
    expect(names(3)).toEqual([alice, bob, carol]);
  });
});

describe('beside miners that a session has reserved', () => {
  const found = [alice, bob, carol].map((node) => ({ node, weight: 1_000_000 }));

  test('others stand by: a reserved one is drawn first, and they after it', () => {
    const candidates = reservedFirst(found, [bob]);
    expect(candidates).toEqual([
      { node: alice, weight: 100 },
      { node: bob, weight: 1_000_000 },
      { node: carol, weight: 100 },
    ]);
    const draws = Array.from({ length: 500 }, (_, index) =>
      rankByRendezvous(bytes32(9), bytes32(index) as TaskId, candidates),
    );
    expect(draws.filter(([first]) => first === bob).length).toBeGreaterThan(490);
    expect(new Set(draws.map((draw) => draw[1]))).toEqual(new Set([alice, carol]));
  });

  test('nothing changes where none of these can work, and no weight becomes nothing', () => {
    expect(reservedFirst(found, [])).toBe(found);
    expect(reservedFirst(found.slice(0, 1), [bob])).toEqual(found.slice(0, 1));
    expect(reservedFirst([...found, { node: router, weight: 1 }], [bob]).at(-1)).toEqual({ node: router, weight: 1 });
  });
});
