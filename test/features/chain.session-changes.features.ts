import { expect } from 'vitest';
import type { SessionRules } from '../../src/core/chain-fact.ts';
import { taskId } from '../../src/core/ids.ts';
import type { ChainCall } from '../../src/ports/chain.ts';
import { type ChainHarness, cor, digest, effect, factOf, openSession, someTerms } from './chain.harness.ts';
import type { Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const reverted = (reason: string) =>
  pouwError('chain_reverted', { details: expect.objectContaining({ reason }) as unknown });

/** Sends in the client's name unless told otherwise, each call under an effect of its own. */
function sending({ chain, cast }: ChainHarness, name: string) {
  let calls = 0;
  const send = (call: ChainCall, from = cast.client) => chain.send(from, call, effect(`${name}-${(calls += 1)}`));
  const refused = async (reason: string, call: ChainCall, from = cast.client): Promise<void> =>
    expect(send(call, from), `${call.call} by ${from}`).rejects.toEqual(reverted(reason));
  return { send, refused };
}

/** What a chain promises to the owners of sessions who change them. */
export const sessionChangeFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'gives a session other terms for new tasks, and refuses what its owner may not have',
    check: async (harness) => {
      const { cast, chain } = harness;
      const { send, refused } = sending(harness, 'update');
      const session = await openSession(harness, 'update');
      const { routers: _, dedicatedMiners: __, ...rules } = someTerms(cast);
      const update = (change: Partial<SessionRules>): ChainCall => {
        return { call: 'updateSession', session, terms: { ...rules, ...change } };
      };
      const made = await send(update({ redundancy: 1, maxTaskPriceWei: cor(2), settlement: 'batched' }));
      expect(factOf(made, 'SessionUpdated')).toMatchObject({
        session,
        version: 2,
        terms: { ...rules, redundancy: 1, maxTaskPriceWei: cor(2), settlement: 'batched' },
      });
      await refused('NotSessionOwner', update({}), cast.router);
      await refused('TermOutOfBounds', update({ minMiners: 4 }));
      await refused('TermOutOfBounds', update({ mode: 'dedicated' }));
      await refused('ModelFixed', update({ model: 'another' }));
      await expect(chain.send(cast.client, update({}), effect('update-1'))).resolves.toMatchObject({
        txHash: made.txHash,
      });
      expect(factOf(await send(update({})), 'SessionUpdated')).toMatchObject({ version: 3 });
    },
  },
  {
    name: 'has a session rest and wake, and change hands in two steps',
    check: async (harness) => {
      const { cast } = harness;
      const { send, refused } = sending(harness, 'hands');
      const session = await openSession(harness, 'hands');
      const requestId = digest('at rest');
      const task = { requestId, promptDigest: digest('prompt'), maxTokens: 8, maxPriceWei: cor(1) };
      const submit: ChainCall = { call: 'submit', session, ...task };
      await refused('NotSessionOwner', { call: 'deactivateSession', session }, cast.router);
      factOf(await send({ call: 'deactivateSession', session }), 'SessionDeactivated');
      await refused('WrongSessionState', { call: 'deactivateSession', session });
      await refused('SessionNotOpen', submit);
      factOf(await send({ call: 'reactivateSession', session }), 'SessionReactivated');
      await refused('WrongSessionState', { call: 'reactivateSession', session });
      expect(factOf(await send(submit), 'TaskSubmitted').task).toBe(taskId(session, requestId));

      await refused('NotSessionOwner', { call: 'offerSession', session, to: cast.oracle }, cast.oracle);
      await refused('NotPendingOwner', { call: 'acceptSession', session }, cast.oracle);
      await send({ call: 'offerSession', session, to: cast.oracle });
      await send({ call: 'offerSession', session, to: null });
      await refused('NotPendingOwner', { call: 'acceptSession', session }, cast.oracle);
      await send({ call: 'offerSession', session, to: cast.oracle });
      const transferred = factOf(await send({ call: 'acceptSession', session }, cast.oracle), 'SessionTransferred');
      expect(transferred).toMatchObject({ session, from: cast.client, to: cast.oracle });
      await refused('NotSessionOwner', { call: 'deactivateSession', session });
    },
  },
  {
    name: 'lists and unlists the routers and dedicated miners of a session',
    check: async (harness) => {
      const { cast } = harness;
      const { send, refused } = sending(harness, 'lists');
      const [first, second] = cast.miners;
      const session = await openSession(harness, 'lists', { redundancy: 1, maxMiners: 1 });
      const router = cast.router;
      await refused('AlreadyListed', { call: 'addRouter', session, router });
      await refused('NotARouter', { call: 'addRouter', session, router: first });
      await refused('ListOutOfBounds', { call: 'removeRouter', session, router });
      await refused('NotListed', { call: 'removeRouter', session, router: first });
      await refused('NotARouter', { call: 'replaceRouter', session, router, replacement: first });
      const key = digest('the key of another router');
      await send({ call: 'approve', spender: 'registry', amountWei: cor(500) });
      const asRouter = { roles: ['router'], key, stakeWei: cor(500), metadataUri: '', models: [] } as const;
      await send({ call: 'register', ...asRouter });
      const other = cast.client;
      expect(factOf(await send({ call: 'addRouter', session, router: other }), 'SessionRouterAdded')).toMatchObject({
        session,
        router: other,
      });
      factOf(await send({ call: 'removeRouter', session, router }), 'SessionRouterRemoved');
      const replaced = await send({ call: 'replaceRouter', session, router: other, replacement: router });
      expect(factOf(replaced, 'SessionRouterAdded')).toMatchObject({ router });
      expect(factOf(replaced, 'SessionRouterRemoved')).toMatchObject({ router: other });

      factOf(await send({ call: 'addDedicatedMiner', session, miner: first }), 'SessionMinerAdded');
      await refused('AlreadyListed', { call: 'addDedicatedMiner', session, miner: first });
      await refused('ListOutOfBounds', { call: 'addDedicatedMiner', session, miner: second });
      await refused('NotListed', { call: 'removeDedicatedMiner', session, miner: second });
      await refused('NotSessionOwner', { call: 'removeDedicatedMiner', session, miner: first }, cast.oracle);
      const removed = factOf(
        await send({ call: 'removeDedicatedMiner', session, miner: first }),
        'SessionMinerRemoved',
      );
      expect(removed).toMatchObject({ session, miner: first });
    },
  },
];
