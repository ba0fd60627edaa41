import { PouwError } from '../../core/errors.ts';
import type { Ledger } from '../../adapters/chain/ledger.ts';
import type { Address } from '../../core/ids.ts';
import type { NodeRecord } from '../../ports/chain.ts';
import { type Account, accountOf, type AccountOptions } from '../wallet/account.ts';

/**
 * The account of a node. A key file has one for each role, so the role must be said.
 *
 * @throws PouwError `role_missing`, and what {@link accountOf} throws.
 */
export function nodeAccount(options: AccountOptions, environment = process.env): Account {
  const isPrivateKey = options.key === undefined && Boolean(environment['POUW_ACCOUNT_KEY']);
  if (options.role === undefined && !isPrivateKey) {
    throw new PouwError('role_missing', 'Which of the key file’s accounts is meant is not said.', {
      class: 'invalid',
      hint: 'Name the node’s role with --role, and its number with --index where there are several.',
      param: 'role',
    });
  }
  return accountOf(options, 'miner', environment);
}

/** The record of a registered node. @throws PouwError `node_not_registered`. */
export async function requireNode(ledger: Ledger, address: Address): Promise<NodeRecord> {
  const record = await ledger.node(address);
  if (record !== undefined) return record;
  throw new PouwError('node_not_registered', `${address} is not in the registry.`, {
    class: 'not-found',
    hint: '`pouw node register` registers it, `pouw node show` lists those that are.',
    details: { node: address },
  });
}

/** The refusal of an account that is registered as no router. */
export function notARouter(address: Address): PouwError {
  return new PouwError('not_a_router', `${address} is not registered as a router.`, {
    class: 'not-found',
    hint: '`pouw node show` lists the nodes that are registered; --role router and --index name one of a key file.',
    details: { node: address },
  });
}
