import type { SessionOnLedger } from '../../adapters/chain/ledger.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { type ChangeOptions, changeSession, type Plan, type Told } from './change.ts';
import { notARouter } from '../registry/node-account.ts';
import { requireServing } from './require-serving.ts';
import { requireLive, requireOwner } from './require-session.ts';

/** Which router of a session is changed. */
export interface RouterOptions extends ChangeOptions {
  readonly router: Address;
  readonly force?: boolean;
}

/** Which router another one takes the place of. */
export interface ReplaceOptions extends RouterOptions {
  readonly by: Address;
}

/**
 * `pouw session router add`.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`, `not_a_router`,
 *   `client_not_served`, `too_many_routers`.
 */
export async function addRouter(id: SessionId, options: RouterOptions): Promise<void> {
  const { router } = options;
  return changeSession(id, options, {
    what: 'router.add',
    role: 'client',
    plan: async (wallet, session): Promise<Plan> => {
      requireOwner(wallet, session);
      const { routers } = session.terms;
      if (routers.includes(router)) return { already: told('It is one of its routers already.', routers) };
      requireLive(session);
      await requireRouter(wallet, router);
      if (routers.length >= limits.sessionRoutersMax) throw tooMany(id);
      const sentence = 'It is one of its routers now.';
      return {
        call: { call: 'addRouter', session: id, router },
        tell: () => told(sentence, [...routers, router]),
      };
    },
  });
}

/**
 * `pouw session router remove`.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`, `last_router`,
 *   `routers_of_opening_gone`.
 */
export async function removeRouter(id: SessionId, options: RouterOptions): Promise<void> {
  const { router, force = false } = options;
  return changeSession(id, options, {
    what: 'router.remove',
    role: 'client',
    plan: (wallet, session): Plan => {
      requireOwner(wallet, session);
      const { routers } = session.terms;
      if (!routers.includes(router)) return { already: told('It is none of its routers.', routers) };
      requireLive(session);
      const left = routers.filter((one) => one !== router);
      if (left.length === 0) throw lastRouter(id);
      if (!force) requireOpened(session, left);
      const sentence = 'It is none of its routers any more; tasks that it has assigned go on.';
      return { call: { call: 'removeRouter', session: id, router }, tell: () => told(sentence, left) };
    },
  });
}

/**
 * `pouw session router replace`: at once, so that a session with a single router can change it.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`,
 *   `router_not_listed`, `router_listed`, `not_a_router`, `client_not_served`, `routers_of_opening_gone`.
 */
export async function replaceRouter(id: SessionId, options: ReplaceOptions): Promise<void> {
  const { router, by: replacement, force = false } = options;
  return changeSession(id, options, {
    what: 'router.replace',
    role: 'client',
    plan: async (wallet, session): Promise<Plan> => {
      requireOwner(wallet, session);
      const { routers } = session.terms;
      const [isThere, isIn] = [routers.includes(router), routers.includes(replacement)];
      if (!isThere && isIn)
        return { already: told('It is one of its routers already, and the other is not.', routers) };
      requireLive(session);
      if (!isThere) throw notListed(id, router);
      if (isIn) throw listed(id, replacement);
      await requireRouter(wallet, replacement);
      const now = [...routers.filter((one) => one !== router), replacement];
      if (!force) requireOpened(session, now);
      const sentence = 'It has taken the other’s place; tasks that the other has assigned go on.';
      return { call: { call: 'replaceRouter', session: id, router, replacement }, tell: () => told(sentence, now) };
    },
  });
}

function told(sentence: string, routers: readonly Address[]): Told {
  return { sentence, value: { routers }, facts: { routers: routers.join(' ') } };
}

/** The stream of a session stays with the routers it was opened with: without one of them nobody assigns its tasks. */
function requireOpened({ session, openedRouters, terms }: SessionOnLedger, routers: readonly Address[]): void {
  const isServed = (list: readonly Address[]): boolean => openedRouters.some((one) => list.includes(one));
  if (isServed(routers) || !isServed(terms.routers)) return;
  throw new PouwError('routers_of_opening_gone', `None of the routers that opened ${session} would be left.`, {
    class: 'conflict',
    why: 'A session’s log stays with the routers it was opened with. Without one of them nobody assigns its tasks: they are refunded.',
    hint: 'Open another session with the new routers (`pouw session create --router`), or insist with --force.',
    param: 'router',
  });
}

/** @throws PouwError `not_a_router`, `client_not_served`. */
async function requireRouter(wallet: Wallet, router: Address): Promise<void> {
  const node = await wallet.ledger.node(router);
  if (node?.roles.includes('router') !== true) throw notARouter(router);
  await requireServing(wallet, [router]);
}

function tooMany(session: SessionId): PouwError {
  return new PouwError(
    'too_many_routers',
    `The session ${session} has ${limits.sessionRoutersMax} routers, the most there may be.`,
    {
      class: 'conflict',
      hint: 'Take one off (`pouw session router remove`), or put this one in its place (`replace`).',
      param: 'router',
    },
  );
}

function lastRouter(session: SessionId): PouwError {
  return new PouwError('last_router', `It is the only router of the session ${session}.`, {
    class: 'conflict',
    hint: 'Put another one in its place: `pouw session router replace`.',
    param: 'router',
  });
}

function notListed(session: SessionId, router: Address): PouwError {
  return new PouwError('router_not_listed', `${router} is none of the routers of the session ${session}.`, {
    class: 'not-found',
    hint: '`pouw session show` lists them.',
    param: 'router',
  });
}

function listed(session: SessionId, router: Address): PouwError {
  return new PouwError('router_listed', `${router} is one of the routers of the session ${session} already.`, {
    class: 'conflict',
    hint: 'Take the other one off: `pouw session router remove`.',
    param: 'by',
  });
}
