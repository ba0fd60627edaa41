import { describe, expect, test } from 'vitest';
import {
  address,
  alice,
  bob,
  bytes32,
  fact,
  olga,
  router,
  session,
  task,
  vera,
} from '../../../test/actors/chain-facts.ts';
import { drawForAppeal } from '../../core/appeal-draw.ts';
import type { Address, EffectId, Role } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { ChainAppeal } from '../../ports/chain-appeals.ts';
import type { ChainCall, ChainFact, NodeRecord } from '../../ports/chain.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';
import { nominateMissing, type NominatingChain } from './nominate.ts';

const effect = 'oracle.x:1:0' as EffectId;
const beacon = bytes32(5);
const now = 50_000;
const pool = Array.from({ length: 6 }, (_, index) => address(0x61 + index));

const record = {
  router,
  slots: [{ miner: alice }],
  validators: [{ validator: vera, hasAttested: true }],
} as unknown as ChainTaskRecord;

const open: ChainAppeal = {
  state: 'open',
  appellant: bob,
  bondWei: wei(10),
  wanted: 3,
  needed: 2,
  beaconBlock: 8,
  beacon: undefined,
  drawBy: now + 10_000,
  attestBy: now + 40_000,
  validators: [],
};

function node(of: Address, change: Partial<NodeRecord> = {}): NodeRecord {
  const roles: readonly Role[] = ['validator'];
  const plain = { number: 1, roles, key: bytes32(1), stakeWei: wei(1), level: 0, active: true, coolUntilAt: 0 };
  return { node: of, ...plain, ...change };
}

const appealed = fact(7, {
  type: 'OutcomeAppealed',
  session,
  task,
  appellant: bob,
  bondWei: wei(10),
  drawBy: open.drawBy,
  attestBy: open.attestBy,
});
const registered = (of: Address): ChainFact => {
  const body = { number: 9, roles: ['validator'] as const, key: bytes32(1), stakeWei: wei(1), metadataUri: '' };
  return fact(7, { type: 'NodeRegistered', node: of, ...body });
};

/** Whom Olga nominates for an appeal on a chain with these nodes. */
async function named(
  nodes: readonly NodeRecord[],
  { appeal = open, facts = [appealed] }: { appeal?: ChainAppeal | undefined; facts?: readonly ChainFact[] } = {},
) {
  const sent: ChainCall[] = [];
  const chain: NominatingChain = {
    appeal: async () => appeal,
    task: async () => record,
    nodes: async () => nodes,
    block: async (number = 9) => ({ number, hash: beacon, at: now }),
    facts: async () => facts,
    send: async (_, call) => {
      sent.push(call);
      return { txHash: '0x', block: 1, gasUsed: 1, facts: [] };
    },
  };
  const found = await nominateMissing(chain, olga, task, effect);
  const calls = sent.flatMap((call) => (call.call === 'nominate' ? [call.nodes] : []));
  expect(calls).toEqual(found.length === 0 ? [] : [found]);
  return found;
}

const draw = { task, beacon, wanted: open.wanted, drawn: [] };

describe('who is nominated for an appeal', () => {
  test('is who would be drawn of all validators of the registry', async () => {
    expect(await named(pool.map((one) => node(one)))).toEqual(drawForAppeal(draw, pool));
  });

  test('is nobody who is drawn already, and nobody at all where the draw is right', async () => {
    const all = drawForAppeal(draw, pool);
    const drawn = (of: readonly Address[]) => of.map((validator) => ({ validator, hasAttested: false }));
    const nodes = pool.map((one) => node(one));
    expect(await named(nodes, { appeal: { ...open, beacon, validators: drawn(all.slice(1)) } })).toEqual(
      all.slice(0, 1),
    );
    expect(await named(nodes, { appeal: { ...open, beacon, validators: drawn(all) } })).toEqual([]);
  });

  test('is nobody who has a part in the task or the appeal, is at rest, inactive, no validator, or came later', async () => {
    const [first, second, third, fourth, ...rest] = pool as [Address, Address, Address, Address];
    const nodes = [
      ...[bob, alice, router, vera].map((one) => node(one)),
      node(first, { coolUntilAt: now + 1 }),
      node(second, { active: false }),
      node(third, { roles: ['miner'] }),
      node(fourth),
      ...rest.map((one) => node(one, { coolUntilAt: now })),
    ];
    const facts = [registered(first), appealed, registered(fourth)];
    expect((await named(nodes, { facts })).toSorted()).toEqual(rest.toSorted());
  });

  test('is nobody once the time is over, the appeal has ended, or there is none', async () => {
    const nodes = pool.map((one) => node(one));
    expect(await named(nodes, { appeal: { ...open, drawBy: now - 1 } })).toEqual([]);
    expect(await named(nodes, { appeal: { ...open, state: 'upheld' } })).toEqual([]);
    expect(await named(nodes, { appeal: { ...open, drawBy: now } })).toHaveLength(3);
  });
});
