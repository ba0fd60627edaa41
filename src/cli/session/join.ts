import type { SessionOnLedger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { lessWei } from '../../core/wei.ts';
import { momentText } from '../../replay/timeline.ts';
import type { Reservation } from '../../ports/chain-reservations.ts';
import { cor } from '../wallet/report.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { type ChangeOptions, changeSession, type Plan, type Told } from './change.ts';
import { notOpen } from './require-session.ts';
import { invitedUnder, notAMiner, requireReserving, reservationOf } from './reserve.ts';

/**
 * `pouw session join`: a miner that was invited is reserved for one period.
 *
 * @throws PouwError `session_not_found`, `session_not_open`, `nothing_to_reserve`, `not_invited`, `not_a_miner`,
 *   `reservation_not_ended`, `reservations_full`, `insufficient_balance`.
 */
export async function joinSession(id: SessionId, options: ChangeOptions): Promise<void> {
  return changeSession(id, options, {
    what: 'join',
    role: 'miner',
    plan: async (wallet, session): Promise<Plan> => {
      const { address: miner, ledger } = wallet;
      const { at } = await ledger.block();
      const reserved = await reservationOf(wallet, id, miner);
      if (reserved !== undefined && at < reserved.reservedUntil)
        return { already: told('The miner is reserved already.', reserved) };
      if (reserved !== undefined) throw notEnded(id, reserved);
      await requireJoinable(wallet, session);
      return {
        call: { call: 'joinSession', session: id },
        tell: async () => {
          const made = await reservationOf(wallet, id, miner);
          const sentence = 'The miner is reserved. It earns the fee by being there until the end.';
          return made === undefined ? { sentence, value: { miner } } : told(sentence, made);
        },
      };
    },
  });
}

/**
 * `pouw session leave`: a reserved miner goes before its time, for nothing.
 *
 * @throws PouwError `session_not_found`, `reservation_over`.
 */
export async function leaveSession(id: SessionId, options: ChangeOptions): Promise<void> {
  return changeSession(id, options, {
    what: 'leave',
    role: 'miner',
    plan: async (wallet): Promise<Plan> => {
      const { address: miner, ledger } = wallet;
      const reserved = await reservationOf(wallet, id, miner);
      const about = { value: { miner }, facts: { miner } };
      if (reserved === undefined) return { already: { ...about, sentence: 'The miner is not reserved.' } };
      if ((await ledger.block()).at >= reserved.reservedUntil) throw isOver(id, reserved);
      const sentence = 'The miner is reserved no more, and has earned nothing by it.';
      return { call: { call: 'leaveSession', session: id }, tell: () => ({ ...about, sentence }) };
    },
  });
}

async function requireJoinable(wallet: Wallet, session: SessionOnLedger): Promise<void> {
  const { address: miner, ledger } = wallet;
  const { session: id, state, terms, version, balanceWei } = session;
  if (state !== 'open') throw notOpen(session);
  const invited = await invitedUnder(wallet, id, miner);
  if (invited !== version) throw notInvited(id, miner, invited);
  requireReserving(session);
  const node = await ledger.node(miner);
  if (node?.active !== true || !node.roles.includes('miner')) throw notAMiner(miner);
  if ((await ledger.reservations(id)).length >= terms.maxMiners) throw full(id, terms.maxMiners);
  if (!lessWei(balanceWei, terms.reserveFeeWei)) return;
  throw new PouwError(
    'insufficient_balance',
    `The session ${id} has ${cor(balanceWei)}, and the fee is ${cor(terms.reserveFeeWei)}.`,
    { class: 'payment', hint: 'Its owner deposits more: `pouw session deposit`.', param: 'session' },
  );
}

function told(sentence: string, { miner, feeWei, reservedUntil }: Reservation): Told {
  return {
    sentence,
    value: { miner, feeWei, reservedUntil },
    facts: { miner, fee: cor(feeWei), until: `${momentText(reservedUntil)} UTC` },
  };
}

function notInvited(session: SessionId, miner: Address, under: number | undefined): PouwError {
  return new PouwError('not_invited', `The session ${session} has not invited ${miner}.`, {
    class: 'forbidden',
    why:
      under === undefined
        ? 'A miner joins where it was asked to.'
        : `It was invited under version ${under} of the session’s terms, which does not hold any more.`,
    hint: 'The session’s owner invites it: `pouw session invite`.',
    param: 'session',
  });
}

function full(session: SessionId, most: number): PouwError {
  return new PouwError('reservations_full', `The session ${session} has reserved ${most} miners, as many as it may.`, {
    class: 'conflict',
    hint: 'Come again when one has gone, or have its owner allow more (`pouw session update --max-miners`).',
    param: 'session',
  });
}

function notEnded(session: SessionId, { miner, reservedUntil }: Reservation): PouwError {
  return new PouwError('reservation_not_ended', `The reservation of ${miner} for ${session} was not ended yet.`, {
    class: 'conflict',
    why: `Its time was over ${momentText(reservedUntil)} UTC.`,
    hint: '`pouw session end-reservation` ends and pays it; then the miner can join again where it is invited.',
    param: 'session',
  });
}

function isOver(session: SessionId, { miner, reservedUntil }: Reservation): PouwError {
  return new PouwError('reservation_over', `The time of ${miner} in the session ${session} is over.`, {
    class: 'conflict',
    why: `It was over ${momentText(reservedUntil)} UTC, and the fee is earned.`,
    hint: '`pouw session end-reservation` ends and pays it.',
    param: 'session',
  });
}
