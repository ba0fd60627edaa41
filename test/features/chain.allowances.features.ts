import { expect } from 'vitest';
import { type Allowance, allowanceDigest, type SignedAllowance } from '../../src/core/allowance.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, SessionId } from '../../src/core/ids.ts';
import { subWei, wei } from '../../src/core/wei.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { type ChainHarness, cor, digest, effect, heardOf, listen, openSession } from './chain.harness.ts';
import { eventually, type Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/** An allowance as its owner signs it. */
export async function signed(chain: Chain, allowance: Allowance, by: Address): Promise<SignedAllowance> {
  const { r, vs } = await chain.signDigest(by, allowanceDigest(chain.deployment, allowance));
  const s = (BigInt(vs) & ((1n << 255n) - 1n)).toString(16).padStart(64, '0');
  return { allowance, signature: `${r}${s}${BigInt(vs) >> 255n === 0n ? '1b' : '1c'}` as Hex };
}

const task = (session: SessionId, word: string) =>
  ({
    call: 'submit',
    session,
    requestId: digest(word),
    promptDigest: digest('prompt'),
    maxTokens: 8,
    maxPriceWei: cor(2),
  }) as const;

const reverted = (reason: string) =>
  pouwError('chain_reverted', { details: expect.objectContaining({ reason }) as unknown });

/** What a chain promises to owners that let routers spend by signature. */
export const allowanceFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'takes a signed allowance from anybody, counts the router’s tasks against it, and says what is left',
    check: async (harness) => {
      const { chain, cast } = harness;
      const session = await openSession({ chain, cast }, 'allowing', { routerMaySubmit: false });
      const { at } = await chain.block();
      const goodUntil = Math.floor(at / 1_000) * 1_000 + 3_600_000;
      const allowance: Allowance = {
        owner: cast.client,
        session,
        router: cast.router,
        goodUntil,
        nonce: '1',
        limitWei: cor(4),
        taskLimitWei: cor(2),
      };
      const good = await signed(chain, allowance, cast.client);
      const ends = async (change: Partial<Allowance>, by = cast.client) =>
        chain.allowanceRefusal(await signed(chain, { ...allowance, ...change }, by));
      expect(await chain.allowanceRefusal(good)).toBeUndefined();
      expect(await ends({}, cast.router)).toBe('InvalidAllowance');
      expect(await ends({ limitWei: wei(0) })).toBe('EmptyAllowance');
      expect(await ends({ goodUntil: at - 60_000 })).toBe('AllowanceExpired');
      const dearer = { ...good, allowance: { ...allowance, limitWei: cor(5) } };
      expect(await chain.allowanceRefusal(dearer)).toBe('InvalidAllowance');

      expect(await chain.grant(session, cast.router)).toBeUndefined();
      const early = chain.send(cast.router, task(session, 'early'), effect('early'));
      await expect(early).rejects.toEqual(reverted('NotAllowed'));
      await chain.send(cast.oracle, { call: 'useAllowance', ...good }, effect('bring'));
      expect(await chain.grant(session, cast.router)).toMatchObject({
        owner: cast.client,
        leftWei: cor(4),
        taskLimitWei: cor(2),
        goodUntil,
      });
      expect(await chain.allowanceRefusal(good)).toBe('NonceUsed');
      const again = chain.send(cast.router, { call: 'useAllowance', ...good }, effect('bring-again'));
      await expect(again).rejects.toEqual(reverted('NonceUsed'));

      await chain.send(cast.router, task(session, 'first'), effect('first'));
      expect((await chain.grant(session, cast.router))?.leftWei).toBe(subWei(cor(4), cor(2)));
      const dear = { ...task(session, 'dear'), maxPriceWei: cor(3) };
      await expect(chain.send(cast.router, dear, effect('dear'))).rejects.toEqual(reverted('TaskLimitExceeded'));
      await chain.send(cast.router, task(session, 'second'), effect('second'));
      const third = chain.send(cast.router, task(session, 'third'), effect('third'));
      await expect(third).rejects.toEqual(reverted('AllowanceExceeded'));

      const longer = { ...allowance, nonce: '2', goodUntil: goodUntil + 3_600_000 };
      await chain.send(
        cast.router,
        { call: 'useAllowance', ...(await signed(chain, longer, cast.client)) },
        effect('bring-2'),
      );
      await harness.passTime(2 * 3_600 + 60);
      const late = chain.send(cast.router, task(session, 'late'), effect('late'));
      await expect(late).rejects.toEqual(reverted('AllowanceExpired'));
      const { goodUntil: until, chainAt } = (await chain.grant(session, cast.router)) ?? { goodUntil: 0, chainAt: 0 };
      expect(chainAt).toBeGreaterThan(until);
    },
  },
  {
    name: 'lets who signed take an allowance back, brought or not, and nobody else',
    check: async ({ chain, cast }) => {
      const session = await openSession({ chain, cast }, 'revoking', { routerMaySubmit: false });
      const { at } = await chain.block();
      const base = { owner: cast.client, session, router: cast.router, goodUntil: at + 3_600_000 } as const;
      const allowance = (nonce: string): Allowance => ({ ...base, limitWei: cor(4), taskLimitWei: cor(4), nonce });
      const brought = await signed(chain, allowance('11'), cast.client);
      await chain.send(cast.router, { call: 'useAllowance', ...brought }, effect('take'));
      const revoke = { call: 'revokeAllowance', session, router: cast.router } as const;
      await expect(chain.send(cast.router, revoke, effect('by-router'))).rejects.toEqual(reverted('NotAllowed'));
      await chain.send(cast.client, revoke, effect('by-owner'));
      expect(await chain.grant(session, cast.router)).toBeUndefined();
      const late = chain.send(cast.router, task(session, 'revoked'), effect('revoked'));
      await expect(late).rejects.toEqual(reverted('NotAllowed'));

      const unused = await signed(chain, allowance('12'), cast.client);
      await chain.send(cast.client, { call: 'revokeNonce', nonce: '12' }, effect('nonce'));
      expect(await chain.allowanceRefusal(unused)).toBe('NonceUsed');
      const twice = chain.send(cast.client, { call: 'revokeNonce', nonce: '12' }, effect('nonce-again'));
      await expect(twice).rejects.toEqual(reverted('NonceUsed'));
    },
  },
  {
    name: 'has an allowance, and what is left of it, as before once a reorg is over',
    check: async (harness) => {
      const { chain, cast, patienceMs } = harness;
      const session = await openSession(harness, 'reorged', { routerMaySubmit: false });
      const { at } = await chain.block();
      const base = { owner: cast.client, session, router: cast.router, goodUntil: at + 3_600_000 } as const;
      const allowance: Allowance = { ...base, limitWei: cor(4), taskLimitWei: cor(2), nonce: '21' };
      // Somebody follows, or nobody would hear of a reorg.
      const heard = listen(chain);
      const good = await signed(chain, allowance, cast.client);
      const brought = await chain.send(cast.router, { call: 'useAllowance', ...good }, effect('to-reorg'));
      const spent = await chain.send(cast.router, task(session, 'to-reorg'), effect('spend-to-reorg'));
      await heardOf(heard, spent.txHash, patienceMs);
      expect((await chain.grant(session, cast.router))?.leftWei).toBe(cor(2));
      await harness.reorg(spent.block - brought.block + 1);
      await eventually('the reorg', () => heard.removed.some(({ type }) => type === 'TaskSubmitted'), patienceMs);
      // The sender's journal brings both again, in their order.
      const isBack = (): boolean => heard.story.lastIndexOf('+TaskSubmitted') > heard.story.indexOf('-TaskSubmitted');
      await eventually('the task to be on chain again', isBack, patienceMs);
      expect((await chain.grant(session, cast.router))?.leftWei).toBe(cor(2));
      expect(await chain.allowanceRefusal(good)).toBe('NonceUsed');
      await heard.subscription.close();
    },
  },
];
