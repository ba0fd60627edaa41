import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { cor } from '../wallet/report.ts';
import { type ChangeOptions, changeSession } from './change.ts';
import { notOpen, requireOwner } from './require-session.ts';

/** What `pouw session offer` was asked for. */
export interface OfferOptions extends ChangeOptions {
  readonly to?: Address;
  readonly takeBack?: boolean;
}

/**
 * `pouw session offer`: whoever it is offered to owns it once it accepts.
 *
 * @throws PouwError `offer_ambiguous`, `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`.
 */
export async function offerSession(id: SessionId, options: OfferOptions): Promise<void> {
  const { to = null, takeBack = false } = options;
  if ((to === null) !== takeBack) throw ambiguous();
  return changeSession(id, options, {
    what: 'offer',
    role: 'client',
    plan: (wallet, session) => {
      requireOwner(wallet, session);
      if (session.state === 'closed') throw notOpen(session);
      const value = { offeredTo: to };
      const facts = { 'offered to': to ?? 'nobody' };
      if ((session.offeredTo ?? null) === to) {
        const sentence = to === null ? 'It is offered to nobody.' : 'It is offered to this account already.';
        return { already: { sentence, value, facts } };
      }
      const sentence =
        to === null
          ? 'The offer is taken back.'
          : 'It is offered; `pouw session accept` by that account takes it over, with its money and its tasks.';
      return { call: { call: 'offerSession', session: id, to }, tell: () => ({ sentence, value, facts }) };
    },
  });
}

/**
 * `pouw session accept`: takes over a session that was offered to the account.
 *
 * @throws PouwError `session_not_found`, `session_not_open`, `session_not_offered`.
 */
export async function acceptSession(id: SessionId, options: ChangeOptions): Promise<void> {
  return changeSession(id, options, {
    what: 'accept',
    role: 'client',
    plan: ({ address }, session) => {
      const { client: from, state, offeredTo, balanceWei, escrowedWei } = session;
      const owned = { client: address, balanceWei, escrowedWei };
      const money = { balance: cor(balanceWei), escrowed: cor(escrowedWei) };
      if (offeredTo !== address && from === address)
        return { already: { sentence: 'The account owns it already.', value: owned, facts: money } };
      if (state === 'closed') throw notOpen(session);
      if (offeredTo !== address) throw notOffered(id, address);
      return {
        call: { call: 'acceptSession', session: id },
        tell: () => ({
          sentence: 'The account owns the session now. Its earlier API keys and allowances are worth nothing any more.',
          value: { ...owned, from },
          facts: { from, ...money },
        }),
      };
    },
  });
}

function ambiguous(): PouwError {
  return new PouwError(
    'offer_ambiguous',
    'Either it is said to whom the session is offered, or the offer is taken back.',
    {
      class: 'invalid',
      hint: '--to ADDRESS, or --take-back.',
      param: 'to',
    },
  );
}

function notOffered(session: SessionId, account: Address): PouwError {
  return new PouwError('session_not_offered', `The session ${session} is not offered to ${account}.`, {
    class: 'forbidden',
    hint: 'Its owner offers it with `pouw session offer --to`; `pouw session show` says to whom it is offered.',
    param: 'session',
  });
}
