import { Argument, Command } from 'commander';
import type { Address } from '../core/ids.ts';
import type { NodeOptions } from './registry/stake.ts';
import { addressesOption, addressOption, withAccount, withJson, withRequestId } from './wallet/options.ts';

/** `pouw node access`: whom a router serves. */
export function accessCommand(): Command {
  return new Command('access')
    .description(
      'Whom a router serves, by its own word on chain: it takes no tasks of clients that it refuses, and chooses no nodes that it refuses.',
    )
    .addCommand(listing('serve', 'served', 'Serve these accounts, whatever holds for others.'))
    .addCommand(listing('refuse', 'refused', 'Refuse these accounts.'))
    .addCommand(
      listing('unlist', 'unlisted', 'Take these accounts off the list: what holds for others holds for them.'),
    )
    .addCommand(others())
    .addCommand(show());
}

function listing(name: string, access: 'served' | 'refused' | 'unlisted', description: string): Command {
  const command = new Command(name)
    .description(description)
    .argument('<accounts...>', 'clients and nodes, 64 at most', addressesOption);
  const example = `pouw node access ${name} 0x1a2b… --role router --index 1`;
  return withJson(withRequestId(withAccount(command, 'router')), example).action(
    async (accounts: readonly Address[], options: NodeOptions) =>
      (await import('./registry/access.ts')).listAccounts(access, accounts, options),
  );
}

function others(): Command {
  const command = new Command('others')
    .description('Say what holds for accounts that are not listed.')
    .addArgument(new Argument('<rule>', 'what holds for them').choices(['served', 'refused']));
  return withJson(
    withRequestId(withAccount(command, 'router')),
    'pouw node access others refused --role router',
  ).action(async (rule: 'served' | 'refused', options: NodeOptions) =>
    (await import('./registry/access.ts')).ruleOthers(rule, options),
  );
}

function show(): Command {
  const command = new Command('show')
    .description('Show whom a router serves.')
    .argument('[router]', 'the router; --role router and --index name one of a key file', addressOption);
  return withJson(withAccount(command, 'router'), 'pouw node access show --role router').action(
    async (router: Address | undefined, options: NodeOptions) =>
      (await import('./registry/access.ts')).showAccess(router, options),
  );
}
