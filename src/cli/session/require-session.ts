import type { Ledger, SessionOnLedger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import type { Wallet } from '../wallet/wallet.ts';

type State = SessionOnLedger['state'];

/** The states of a session that has not come to its end. */
export const liveStates: readonly State[] = ['open', 'inactive'];

/**
 * A session that is there, in a state if that matters.
 *
 * @throws PouwError `session_not_found`, `session_not_open`.
 */
export async function requireSession(
  ledger: Ledger,
  id: SessionId,
  state: State | readonly State[] | undefined,
): Promise<SessionOnLedger> {
  const session = await ledger.session(id);
  if (session === undefined) {
    throw new PouwError('session_not_found', `These contracts have no session ${id}.`, {
      class: 'not-found',
      hint: '`pouw session list --all` names them.',
      param: 'session',
    });
  }
  if (state !== undefined && ![state].flat().includes(session.state)) throw notOpen(session);
  return session;
}

/** A session that goes on, whether it takes tasks now or rests. @throws PouwError `session_not_open`. */
export function requireLive(session: SessionOnLedger): void {
  if (!liveStates.includes(session.state)) throw notOpen(session);
}

/** The refusal of what only an open session takes. */
export function notOpen({ session, state }: SessionOnLedger): PouwError {
  return new PouwError('session_not_open', `The session ${session} is ${state}.`, {
    class: 'conflict',
    hint:
      state === 'inactive'
        ? '`pouw session reactivate` has it take tasks again.'
        : '`pouw session create` opens another one.',
    param: 'session',
  });
}

/**
 * The account that owns a session.
 *
 * @throws PouwError `session_of_another`, `session_of_pool` where the pool of stakes for use does.
 */
export function requireOwner({ address, ledger }: Wallet, { session, client }: SessionOnLedger): void {
  if (client === address) return;
  if (client !== ledger.deployment.stakeToUse) throw notOwner(address, session);
  throw new PouwError('session_of_pool', `The pool of stakes for use owns the session ${session}.`, {
    class: 'forbidden',
    why: 'Its contract opens, fills and closes sessions, and changes none.',
    hint: '`pouw session create` opens one that the account owns.',
    param: 'session',
  });
}

/** The refusal of what only a session's owner may do. */
export function notOwner(account: Address, session: SessionId): PouwError {
  return new PouwError('session_of_another', `${account} does not own the session ${session}.`, {
    class: 'forbidden',
    hint: 'Name its owner’s account with --key, --role and --index.',
    param: 'session',
  });
}
