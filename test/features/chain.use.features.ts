import { expect } from 'vitest';
import { sessionId, taskId } from '../../src/core/ids.ts';
import { addWei, subWei, type Wei, wei, zeroWei } from '../../src/core/wei.ts';
import type { ChainCall } from '../../src/ports/chain.ts';
import { type ChainHarness, cor, digest, effect, factOf, someTerms } from './chain.harness.ts';
import type { Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const reverted = (reason: string) =>
  pouwError('chain_reverted', { details: expect.objectContaining({ reason }) as unknown });

/** What a chain promises to those who pay by a stake. */
export const useFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'lets a stake use so much of a pool, pays its tasks from there, and gives back what was not used and the stake',
    check: async (harness) => {
      const { chain, cast } = harness;
      const user = cast.client;
      let calls = 0;
      const send = (call: ChainCall, from = user) => chain.send(from, call, effect(`use-${(calls += 1)}`));
      const refused = async (reason: string, call: ChainCall, from = user): Promise<void> =>
        expect(send(call, from)).rejects.toEqual(reverted(reason));
      const pool = async (): Promise<Wei> => (await chain.usePool()).poolWei;
      const open = (depositWei: Wei): ChainCall => ({ call: 'openPooled', terms: someTerms(cast), depositWei });

      expect(await chain.useStake(user)).toEqual({ amountWei: zeroWei, usableWei: zeroWei, unlocksAt: undefined });
      await refused('NotStaked', open(cor(1)));
      await refused('NotStaked', { call: 'requestUseUnstake' });
      await refused('EmptyAmount', { call: 'stakeForUse', amountWei: zeroWei });
      await refused('EmptyAmount', { call: 'fundPool', amountWei: zeroWei });
      const before = await chain.corBalance(user);
      await send({ call: 'approve', spender: 'stakeToUse', amountWei: cor(8_003) });
      await send({ call: 'stakeForUse', amountWei: cor(8_000) });
      await send({ call: 'fundPool', amountWei: cor(3) });
      expect(await chain.usePool()).toEqual({ poolWei: cor(3), stakedWei: cor(8_000) });
      await refused('UseExceeded', open(cor(1)));
      await harness.passTime(2 * 86_400);
      // 5 ten-thousandths of it, however long it waited.
      expect(await chain.useStake(user)).toMatchObject({ usableWei: cor(4) });
      await refused('PoolExhausted', open(cor(4)));

      const opened = factOf(await send(open(cor(1))), 'SessionOpened');
      const { session } = opened;
      expect(opened).toMatchObject({ client: chain.deployment.stakeToUse, terms: { routerMaySubmit: false } });
      expect([await chain.poolUser(session), await pool()]).toEqual([user, cor(2)]);
      const none = sessionId(chain.deployment.chainId, chain.deployment.sessions, 1_000_000);
      expect(await chain.poolUser(none)).toBeUndefined();
      await send({ call: 'topUpPooled', session, amountWei: wei(5) });
      expect(await pool()).toBe(subWei(cor(2), wei(5)));
      await refused('NotUserOfSession', { call: 'topUpPooled', session, amountWei: wei(5) }, cast.oracle);

      const requestId = digest('pooled');
      const submit: ChainCall = {
        call: 'submitPooled',
        session,
        requestId,
        promptDigest: digest('prompt'),
        maxTokens: 8,
        maxPriceWei: cor(1),
      };
      await refused('NotUserOfSession', submit, cast.oracle);
      const submitted = factOf(await send(submit), 'TaskSubmitted');
      expect(submitted).toMatchObject({ by: chain.deployment.stakeToUse, maxPriceWei: cor(1), requestId });
      const plain: ChainCall = { ...submit, call: 'submit', requestId: digest('by hand') };
      await refused('NotSubmitter', plain);
      await refused('NotAllowed', plain, cast.router);
      await refused('NotUserOfSession', { call: 'closePooled', session }, cast.oracle);
      factOf(await send({ call: 'closePooled', session }), 'SessionDraining');
      await send({ call: 'cancel', task: taskId(session, requestId) }, cast.router);
      expect(await pool()).toBe(cor(3));

      await refused('StakeLocked', { call: 'withdrawUseStake' });
      await send({ call: 'requestUseUnstake' });
      const { unlocksAt, usableWei } = await chain.useStake(user);
      expect(usableWei).toBe(zeroWei);
      expect(unlocksAt).toBeGreaterThan((await chain.block()).at);
      await refused('NotStaked', open(cor(1)));
      await refused('StakeLocked', { call: 'withdrawUseStake' });
      await harness.passTime(7 * 86_400 + 1);
      await send({ call: 'withdrawUseStake' });
      expect(addWei(await chain.corBalance(user), cor(3))).toBe(before);
      expect(await chain.usePool()).toEqual({ poolWei: cor(3), stakedWei: zeroWei });
    },
  },
];
