import { isServed } from '../../../actors/router/access.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';

/**
 * Refuses a client that the router does not serve, by what it has said on chain.
 *
 * @throws PouwError `client_not_served`.
 */
export function requireServed(book: RouterContext, client: Address | null): void {
  if (client === null || isServed(book, client)) return;
  throw new PouwError('client_not_served', `The router ${book.router} does not serve ${client}.`, {
    class: 'forbidden',
    why: 'It has listed the account as refused, or serves only whom it has listed.',
    hint: 'Open a session with other routers, or ask this one to list the account (`pouw node access serve`).',
  });
}
