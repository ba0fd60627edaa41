import { expect } from 'vitest';
import { subWei, type Wei } from '../../src/core/wei.ts';
import type { ChainCall } from '../../src/ports/chain.ts';
import { type ChainHarness, cor, effect, openSession, someTerms } from './chain.harness.ts';
import type { Feature } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const reverted = (reason: string) =>
  pouwError('chain_reverted', { details: expect.objectContaining({ reason }) as unknown });

/** What a chain promises about miners that are kept for a session. */
export const reservationFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'keeps miners that were invited for a session, and pays them for the time they were there',
    check: async (harness) => {
      const { chain, cast } = harness;
      const [first, second, third] = cast.miners;
      let calls = 0;
      const send = (call: ChainCall, from = cast.client) => chain.send(from, call, effect(`reserve-${(calls += 1)}`));
      const refused = async (reason: string, call: ChainCall, from = cast.client): Promise<void> =>
        expect(send(call, from), `${call.call} by ${from}`).rejects.toEqual(reverted(reason));
      const change = { redundancy: 1, maxMiners: 2, reservePeriodS: 3_600, reserveFeeWei: cor(1) };
      const session = await openSession(harness, 'reserve', change);
      const join: ChainCall = { call: 'joinSession', session };
      const earned = async (miner: typeof first, work: () => Promise<unknown>): Promise<Wei> => {
        const before = await chain.earnings(miner);
        await work();
        return subWei(await chain.earnings(miner), before);
      };

      expect([await chain.reservations(session), await chain.invitations(session)]).toEqual([[], []]);
      await refused('NotInviter', { call: 'inviteMiner', session, miner: first }, cast.oracle);
      await refused('NotInvited', join, first);
      await refused('NotInvited', { call: 'withdrawInvitation', session, miner: first });
      for (const miner of cast.miners) await send({ call: 'inviteMiner', session, miner });
      // Where its terms let routers submit, they may do so as well.
      await send({ call: 'inviteMiner', session, miner: cast.oracle }, cast.router);
      await refused('NotAMiner', join, cast.oracle);
      await send({ call: 'withdrawInvitation', session, miner: cast.oracle });
      expect(await chain.invitations(session)).toEqual(cast.miners.map((miner) => ({ miner, version: 1 })));

      await send(join, first);
      await refused('NotInvited', join, first);
      await send(join, second);
      await refused('PoolFull', join, third);
      const { at } = await chain.block();
      const reserved = await chain.reservations(session);
      expect(reserved.map(({ miner, feeWei }) => [miner, feeWei])).toEqual([first, second].map((one) => [one, cor(1)]));
      for (const { since, reservedUntil } of reserved) {
        expect(reservedUntil - since).toBe(3_600_000);
        expect(reservedUntil).toBeGreaterThan(at);
      }
      expect(await chain.invitations(session)).toEqual([{ miner: third, version: 1 }]);

      await refused('StillReserved', { call: 'endReservation', session, miner: first }, cast.oracle);
      await refused('NotInviter', { call: 'dismissMiner', session, miner: first }, cast.oracle);
      expect(await earned(second, () => send({ call: 'leaveSession', session }, second))).toBe('0');
      await refused('NotReserved', { call: 'leaveSession', session }, second);
      await send(join, third);
      await harness.passTime(1_800);
      const part = BigInt(await earned(third, () => send({ call: 'dismissMiner', session, miner: third })));
      expect([part >= BigInt(cor(1)) / 2n, part < BigInt(cor(1))]).toEqual([true, true]);
      await harness.passTime(1_800);
      await refused('NotReserved', { call: 'leaveSession', session }, first);
      const end: ChainCall = { call: 'endReservation', session, miner: first };
      expect(await earned(first, () => send(end, cast.oracle))).toBe(cor(1));
      expect(await chain.reservations(session)).toEqual([]);

      // What was offered under terms that hold no more is worth nothing.
      await send({ call: 'inviteMiner', session, miner: first });
      const { routers: _, dedicatedMiners: __, ...rules } = someTerms(cast, change);
      await send({ call: 'updateSession', session, terms: rules });
      expect(await chain.invitations(session)).toEqual([{ miner: first, version: 1 }]);
      await refused('NotInvited', join, first);
    },
  },
];
