import type { SessionOnLedger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import { momentText } from '../../replay/timeline.ts';
import type { Reservation } from '../../ports/chain-reservations.ts';
import { cor } from '../wallet/report.ts';
import type { Sent, Wallet } from '../wallet/wallet.ts';
import { changeSession, type Plan, type Told } from './change.ts';
import type { MinerOptions } from './miners.ts';
import { requireLive } from './require-session.ts';

/**
 * `pouw session invite`: a miner may join the session for one period, for the fee of its terms.
 *
 * @throws PouwError `session_not_found`, `session_not_open`, `not_inviter`, `nothing_to_reserve`, `not_a_miner`.
 */
export async function inviteMiner(id: SessionId, options: MinerOptions): Promise<void> {
  const { miner } = options;
  return changeSession(id, options, {
    what: 'invite',
    role: 'client',
    plan: async (wallet, session): Promise<Plan> => {
      requireInviter(wallet, session);
      requireLive(session);
      requireReserving(session);
      if ((await wallet.ledger.node(miner))?.roles.includes('miner') !== true) throw notAMiner(miner);
      const { version, terms } = session;
      const offer = {
        value: { miner, version, feeWei: terms.reserveFeeWei, periodS: terms.reservePeriodS },
        facts: { miner, fee: cor(terms.reserveFeeWei), for: `${terms.reservePeriodS} s` },
      };
      if ((await invitedUnder(wallet, id, miner)) === version)
        return { already: { ...offer, sentence: 'The miner is invited already.' } };
      const sentence = 'The miner is invited: `pouw session join` by its account reserves it.';
      return { call: { call: 'inviteMiner', session: id, miner }, tell: () => ({ ...offer, sentence }) };
    },
  });
}

/**
 * `pouw session withdraw-invitation`.
 *
 * @throws PouwError `session_not_found`, `not_inviter`.
 */
export async function withdrawInvitation(id: SessionId, options: MinerOptions): Promise<void> {
  const { miner } = options;
  return changeSession(id, options, {
    what: 'withdraw-invitation',
    role: 'client',
    plan: async (wallet, session): Promise<Plan> => {
      requireInviter(wallet, session);
      const about = { value: { miner }, facts: { miner } };
      if ((await invitedUnder(wallet, id, miner)) === undefined)
        return { already: { ...about, sentence: 'The miner is not invited.' } };
      const sentence = 'The invitation is taken back.';
      return { call: { call: 'withdrawInvitation', session: id, miner }, tell: () => ({ ...about, sentence }) };
    },
  });
}

/**
 * `pouw session dismiss`: a reserved miner is let go, for the part of its fee until now.
 *
 * @throws PouwError `session_not_found`, `not_inviter`.
 */
export async function dismissMiner(id: SessionId, options: MinerOptions): Promise<void> {
  const { miner } = options;
  return changeSession(id, options, {
    what: 'dismiss',
    role: 'client',
    plan: async (wallet, session): Promise<Plan> => {
      requireInviter(wallet, session);
      const reserved = await reservationOf(wallet, id, miner);
      if (reserved === undefined) return { already: notReserved(miner) };
      return {
        call: { call: 'dismissMiner', session: id, miner },
        tell: (sent) => paid(wallet, id, reserved, sent, 'The miner is let go, and has earned the part until now.'),
      };
    },
  });
}

/**
 * `pouw session end-reservation`: the time of a reserved miner is over. Anyone may say so.
 *
 * @throws PouwError `session_not_found`, `still_reserved`.
 */
export async function endReservation(id: SessionId, options: MinerOptions): Promise<void> {
  const { miner } = options;
  return changeSession(id, options, {
    what: 'end-reservation',
    role: 'client',
    plan: async (wallet): Promise<Plan> => {
      const reserved = await reservationOf(wallet, id, miner);
      if (reserved === undefined) return { already: notReserved(miner) };
      const { reservedUntil } = reserved;
      if ((await wallet.ledger.block()).at < reservedUntil) throw stillReserved(id, reserved);
      return {
        call: { call: 'endReservation', session: id, miner },
        tell: (sent) => paid(wallet, id, reserved, sent, 'The reservation has ended.'),
      };
    },
  });
}

/** A miner's reservation; undefined where it has none, also none whose time is over. */
export async function reservationOf(
  { ledger }: Wallet,
  session: SessionId,
  miner: Address,
): Promise<Reservation | undefined> {
  return (await ledger.reservations(session)).find((one) => one.miner === miner);
}

/** The version of the terms under which a miner is invited; undefined where it is not. */
export async function invitedUnder(
  { ledger }: Wallet,
  session: SessionId,
  miner: Address,
): Promise<number | undefined> {
  return (await ledger.invitations(session)).find((one) => one.miner === miner)?.version;
}

/** @throws PouwError `nothing_to_reserve` where the terms reserve nobody. */
export function requireReserving({ session, terms }: SessionOnLedger): void {
  const isDedicated = terms.mode === 'dedicated';
  if (terms.reservePeriodS !== 0 && !isDedicated) return;
  throw new PouwError('nothing_to_reserve', `The session ${session} reserves nobody.`, {
    class: 'conflict',
    why: isDedicated ? 'Only its dedicated miners work for it.' : 'Its terms name no time to reserve a miner for.',
    hint: '`pouw session update --reserve-period SECONDS --reserve-fee COR`, with `--mode ephemeral` where it has dedicated miners.',
    param: 'session',
  });
}

/** The refusal of an account that is no miner. */
export function notAMiner(account: Address): PouwError {
  return new PouwError('not_a_miner', `${account} is no miner that may be reserved.`, {
    class: 'not-found',
    why: 'It is not registered as one, or takes no new work.',
    hint: '`pouw node show` lists the nodes, `pouw node activate` has one take work again.',
    param: 'miner',
  });
}

async function paid(
  { ledger }: Wallet,
  session: SessionId,
  { miner, feeWei }: Reservation,
  { receipt }: Sent,
  sentence: string,
): Promise<Told> {
  const paidWei = (await ledger.reservationPay({ session, miner, txHash: receipt.txHash })) ?? wei(0);
  return {
    sentence,
    value: { miner, feeWei, paidWei },
    facts: { miner, earned: `${cor(paidWei)} of ${cor(feeWei)}` },
  };
}

function notReserved(miner: Address): Told {
  return { sentence: 'The miner is not reserved.', value: { miner }, facts: { miner } };
}

/** Who may spend a session's money on tasks may spend it on reservations. */
function requireInviter({ address }: Wallet, { session, client, terms }: SessionOnLedger): void {
  if (client === address || (terms.routerMaySubmit && terms.routers.includes(address))) return;
  throw new PouwError('not_inviter', `${address} may not reserve miners for the session ${session}.`, {
    class: 'forbidden',
    why: 'Its owner may, and its routers where its terms let them submit.',
    hint: 'Name the account of one of them with --key, --role and --index.',
    param: 'session',
  });
}

function stillReserved(session: SessionId, { miner, reservedUntil }: Reservation): PouwError {
  return new PouwError('still_reserved', `${miner} is reserved for the session ${session} for some time yet.`, {
    class: 'conflict',
    why: `Its time is over ${momentText(reservedUntil)} UTC.`,
    hint: 'The session’s owner can let it go before: `pouw session dismiss`.',
    param: 'miner',
  });
}
