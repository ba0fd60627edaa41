import type { Ledger, SessionOnLedger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { SessionId } from '../../core/ids.ts';

/**
 * A session that is there, in a state if that matters.
 *
 * @throws PouwError `session_not_found`, `session_not_open`.
 */
export async function requireSession(
  ledger: Ledger,
  id: SessionId,
  state: SessionOnLedger['state'] | undefined,
): Promise<SessionOnLedger> {
  const session = await ledger.session(id);
  if (session === undefined) {
    throw new PouwError('session_not_found', `These contracts have no session ${id}.`, {
      class: 'not-found',
      hint: '`pouw session list --all` names them.',
      param: 'session',
    });
  }
  if (state !== undefined && session.state !== state) {
    throw new PouwError('session_not_open', `The session ${id} is ${session.state}.`, {
      class: 'conflict',
      hint: '`pouw session create` opens another one.',
      param: 'session',
    });
  }
  return session;
}
