import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import type { Wallet } from '../wallet/wallet.ts';

/** @throws PouwError `client_not_served` where one of the routers refuses the account by its list on chain. */
export async function requireServing({ ledger, address }: Wallet, routers: readonly Address[]): Promise<void> {
  for (const router of routers) {
    if (!(await ledger.isServed(router, address))) throw notServed(`The router ${router} does not serve`, address);
  }
}

/** The refusal of an account by routers. */
export function notServed(who: string, account: Address): PouwError {
  return new PouwError('client_not_served', `${who} ${account}.`, {
    class: 'forbidden',
    why: 'A router takes no task of an account that it has refused on chain.',
    hint: 'Name other routers with --router, or ask one to list the account; `pouw node access show` tells whom it serves.',
  });
}
