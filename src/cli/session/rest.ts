import type { SessionId } from '../../core/ids.ts';
import { type ChangeOptions, changeSession } from './change.ts';
import { requireLive, requireOwner } from './require-session.ts';

/**
 * `pouw session deactivate`: no new tasks, until it is reactivated.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`.
 */
export async function deactivateSession(id: SessionId, options: ChangeOptions): Promise<void> {
  return changeSession(id, options, {
    what: 'deactivate',
    role: 'client',
    plan: (wallet, session) => {
      requireOwner(wallet, session);
      requireLive(session);
      const value = { state: 'inactive' };
      if (session.state === 'inactive') return { already: { sentence: 'It takes no tasks already.', value } };
      const sentence = 'It takes no new tasks; those it has go on, and its money stays.';
      return { call: { call: 'deactivateSession', session: id }, tell: () => ({ sentence, value }) };
    },
  });
}

/**
 * `pouw session reactivate`: a session that was put to rest takes tasks again.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`.
 */
export async function reactivateSession(id: SessionId, options: ChangeOptions): Promise<void> {
  return changeSession(id, options, {
    what: 'reactivate',
    role: 'client',
    plan: (wallet, session) => {
      requireOwner(wallet, session);
      requireLive(session);
      const value = { state: 'open' };
      if (session.state === 'open') return { already: { sentence: 'It takes tasks already.', value } };
      const sentence = 'It takes tasks again.';
      return { call: { call: 'reactivateSession', session: id }, tell: () => ({ sentence, value }) };
    },
  });
}
