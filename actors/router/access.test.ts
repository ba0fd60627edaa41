import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { alice, bob, bytes32, carol, client, fact, router } from '../../test/actors/chain-facts.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import type { Address } from '../../src/core/ids.ts';
import { oneCor } from '../../src/core/wei.ts';
import { isServed } from './access.ts';
import { candidates } from './candidates.ts';
import type { RouterContext } from './context.ts';
import type { RouterCommand } from './decide.ts';
import { routerActor } from './definition.ts';

const model = 'pebble-chat';
const see = (block: number, body: ChainFactBody): RouterCommand => ({ type: 'SeeFact', fact: fact(block, body) });
const listed = (account: Address, access: 'served' | 'refused' | 'unlisted', by = router) =>
  see(5, { type: 'AccessSet', router: by, account, access });
const ruled = (exclusive: boolean, by = router) => see(6, { type: 'ExclusiveSet', router: by, exclusive });

/** The book of a router that knows two miners. */
function book(): ActorRun<RouterContext, RouterCommand> {
  const run = new ActorRun<RouterContext, RouterCommand>(routerActor);
  run.tell({ type: 'StartRouter', router });
  for (const node of [alice, bob]) {
    const of = { node, number: 1, roles: ['miner'], key: bytes32(1), stakeWei: oneCor, metadataUri: '' } as const;
    run.tell(see(1, { type: 'NodeRegistered', ...of }));
    run.tell(see(1, { type: 'ModelServed', node, model }));
    run.tell({ type: 'SeeNode', node, models: [model] });
  }
  return run;
}

const drawn = ({ state, now }: ActorRun<RouterContext, RouterCommand>, evenCooling = false) =>
  candidates(state.context, { role: 'miner', model, allowed: [], exclude: [], now, evenCooling }).map(
    ({ node }) => node,
  );

describe('a router', () => {
  test('serves everybody until it says otherwise on chain', () => {
    const run = book();
    expect(drawn(run)).toEqual([alice, bob]);
    expect(isServed(run.state.context, client)).toBe(true);
  });

  test('draws nobody whom it has listed as refused, however few the others are', () => {
    const run = book();
    expect(run.types(listed(alice, 'refused'))).toEqual(['AccountListed']);
    expect(run.types(listed(alice, 'refused')), 'a repeated fact').toEqual([]);
    expect([drawn(run), drawn(run, true)]).toEqual([[bob], [bob]]);
    expect(run.types(listed(alice, 'unlisted'))).toEqual(['AccountListed']);
    expect(run.types(listed(alice, 'unlisted'))).toEqual([]);
    expect(drawn(run)).toEqual([alice, bob]);
  });

  test('serves only whom it has listed as served while it serves no others', () => {
    const run = book();
    expect(run.types(ruled(true))).toEqual(['OthersRuled']);
    expect(run.types(ruled(true))).toEqual([]);
    run.tell(listed(bob, 'served'));
    run.tell(listed(client, 'refused'));
    expect([alice, bob, client, carol].map((account) => isServed(run.state.context, account))).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(drawn(run)).toEqual([bob]);
    run.tell(ruled(false));
    expect(run.state.context.access).toEqual({ exclusive: false, listed: { [bob]: 'served', [client]: 'refused' } });
    expect(drawn(run)).toEqual([alice, bob]);
  });

  test('does not keep the lists of others', () => {
    const run = book();
    expect(run.types(listed(alice, 'refused', carol))).toEqual([]);
    expect(run.types(ruled(true, carol))).toEqual([]);
    expect(run.state.context.access).toBeUndefined();
  });
});
