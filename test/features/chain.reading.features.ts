import { expect } from 'vitest';
import { type SessionId, taskId, toAddress } from '../../src/core/ids.ts';
import { addWei } from '../../src/core/wei.ts';
import { assignTask, type ChainHarness, cor, digest, effect, factOf, openSession } from './chain.harness.ts';
import type { Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/** What a chain promises to those who read. */
export const readingFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'knows the registered nodes, one by one and all of them',
    check: async ({ chain, cast }) => {
      expect(await chain.node(cast.router)).toEqual({
        node: cast.router,
        number: 1,
        roles: ['router'],
        key: digest(`key-${cast.router}`),
        stakeWei: cor(500),
        active: true,
        level: 0,
        coolUntilAt: 0,
      });
      expect(await chain.node(cast.client)).toBeUndefined();
      const nodes = await chain.nodes();
      const registered = [cast.router, ...cast.miners, cast.spareMiner, ...cast.validators, cast.oracle];
      expect(nodes.map(({ node }) => node).toSorted()).toEqual(registered.toSorted());
    },
  },
  {
    name: 'knows in which block a task was submitted, whatever became of it',
    check: async (harness) => {
      const { chain, cast } = harness;
      const session = await openSession(harness, 'submitted');
      const requestId = digest('request-submitted');
      const task = taskId(session, requestId);
      expect(await chain.submittedBlock(task)).toBeUndefined();
      const submit = { call: 'submit', session, requestId, promptDigest: digest('prompt') } as const;
      const price = { maxTokens: 64, maxPriceWei: cor(5) } as const;
      const { block } = await chain.send(cast.router, { ...submit, ...price }, effect('submitted'));
      expect(await chain.submittedBlock(task)).toBe(block);
      await chain.send(cast.router, { call: 'cancel', task }, effect('cancelled'));
      expect(await chain.submittedBlock(task)).toBe(block);
      const again = chain.send(cast.router, { ...submit, ...price }, effect('submitted again'));
      await expect(again).rejects.toMatchObject({ code: 'chain_reverted', details: { reason: 'TaskExists' } });
    },
  },
  {
    name: 'adds the money up: nothing appears, nothing is lost',
    check: async (harness) => {
      const { chain, cast } = harness;
      const before = await chain.money();
      const session = await openSession(harness, 'money');
      const { task } = await assignTask(harness, session, 'money');
      const escrowed = await chain.money();
      expect(escrowed.escrowedWei).toBe(cor(5));
      expect(BigInt(escrowed.depositedWei) - BigInt(before.depositedWei)).toBe(BigInt(cor(100)));
      const cancelled = await chain.send(cast.router, { call: 'cancel', task }, effect('cancel'));
      expect(factOf(cancelled, 'TaskRefunded')).toMatchObject({ task, returnedWei: cor(5), reason: 'cancelled' });
      await chain.send(cast.client, { call: 'closeSession', session }, effect('close'));
      for (const money of [before, escrowed, await chain.money()]) {
        const { balanceWei, escrowedWei, paidWei, refundedWei, slashedWei, unclaimedWei } = money;
        expect(addWei(balanceWei, escrowedWei, paidWei, refundedWei, slashedWei)).toBe(money.depositedWei);
        expect(addWei(balanceWei, escrowedWei, unclaimedWei)).toBe(money.heldWei);
      }
    },
  },
  {
    name: 'tells the facts of any range of blocks, in order, as a follower would have told them',
    check: async (harness) => {
      const { chain, cast } = harness;
      const from = (await chain.block()).number + 1;
      const session = await openSession(harness, 'range');
      const { task } = await assignTask(harness, session, 'range');
      const cancelled = await chain.send(cast.router, { call: 'cancel', task }, effect('range-cancel'));
      const types = (facts: readonly { readonly type: string }[]): string[] => facts.map(({ type }) => type);
      const all = await chain.facts(from, cancelled.block);
      expect(types(all).at(0)).toBe('SessionOpened');
      expect(all.at(-1)).toEqual(cancelled.facts.at(-1));
      const places = all.map(({ place }) => place.block * 1_000 + place.logIndex);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      const middle = Math.floor((from + cancelled.block) / 2);
      const halves = [...(await chain.facts(from, middle)), ...(await chain.facts(middle + 1, cancelled.block))];
      expect(halves).toEqual(all);
      expect(await chain.facts(cancelled.block + 1, cancelled.block)).toEqual([]);
    },
  },
  {
    name: 'tells which routers a session was opened with, by its block or by its id',
    check: async (harness) => {
      const { chain, cast } = harness;
      const fromBlock = (await chain.block()).number + 1;
      const session = await openSession(harness, 'openings');
      const { number: toBlock } = await chain.block();
      const opening = { session, routers: [cast.router] };
      expect(await chain.openings({ fromBlock, toBlock })).toEqual([opening]);
      expect(await chain.openings({ session })).toEqual([opening]);
      expect(await chain.openings({ fromBlock: toBlock + 1, toBlock })).toEqual([]);
      const [chainId, contract] = session.split('-') as [string, string, string];
      const others = ['999999', `${2n ** 64n}`, '01'].map((number) => `${chainId}-${contract}-${number}`);
      for (const other of [...others, `${chainId}-00000000-1`, 'another', ''])
        expect(await chain.openings({ session: other as SessionId })).toEqual([]);
    },
  },
  {
    name: 'waits for a block that is not there yet and returns at once for one that is',
    check: async ({ chain }) => {
      const now = await chain.block();
      const next = await chain.waitForBlock(now.number + 2);
      expect(next.number).toBeGreaterThanOrEqual(now.number + 2);
      expect((await chain.block(next.number)).hash).toBe(next.hash);
      expect((await chain.waitForBlock(now.number)).number).toBeGreaterThanOrEqual(next.number);
      expect(next.at % 1_000).toBe(0);
    },
  },
  {
    name: 'stops waiting for a block when told to',
    check: async ({ chain }) => {
      const { number } = await chain.block();
      const stop = new AbortController();
      const waiting = chain.waitForBlock(number + 10_000, stop.signal);
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    },
  },
  {
    name: 'says that a block is not there',
    check: async ({ chain }) => {
      await expect(chain.block(10_000_000)).rejects.toEqual(pouwError('block_not_found', { class: 'not-found' }));
    },
  },
  {
    name: 'has no balance and no earnings of a stranger',
    check: async ({ chain }) => {
      const stranger = toAddress(`0x${'34'.repeat(20)}`);
      expect([await chain.corBalance(stranger), await chain.earnings(stranger)]).toEqual(['0', '0']);
    },
  },
];
