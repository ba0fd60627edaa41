import { Command, InvalidArgumentError, Option } from 'commander';
import { defaultModel } from './compose/defaults.ts';
import {
  addressesOption,
  addressOption,
  amountOption,
  positiveAmountOption,
  sessionOption,
  withAccount,
  withJson,
  withPlace,
  withRequestId,
} from './wallet/options.ts';
import type { allowRouter } from './session/allow.ts';
import { changeCommands } from './session/change-commands.ts';
import type { closeSession } from './session/close.ts';
import type { CreateOptions } from './session/create.ts';
import type { depositInSession } from './session/deposit.ts';
import type { makeSessionKey } from './session/key.ts';
import type { ListOptions, showSession } from './session/list.ts';
import { reservationCommands } from './session/reservation-commands.ts';
import type { revokeAllowance } from './session/revoke.ts';
import { withTerms } from './session/terms-options.ts';
import { timeOption } from './session/time-option.ts';

/** `pouw session`: a client's sessions on chain. */
export function sessionCommand(): Command {
  const command = new Command('session')
    .description(
      'A client’s sessions on chain: open one, add money, let a router spend, change it, keep miners for it, close it, list them, look at one.',
    )
    .addCommand(create())
    .addCommand(deposit())
    .addCommand(close())
    .addCommand(allow())
    .addCommand(revoke())
    .addCommand(key());
  for (const one of [...changeCommands(), ...reservationCommands()]) command.addCommand(one);
  return command.addCommand(list()).addCommand(show());
}

function create(): Command {
  const command = new Command('create')
    .description('Open a session from the account’s $COR. Its routers are those it names.')
    .option('--model <id>', 'the model of its tasks', defaultModel)
    .addOption(
      new Option('--deposit <amount>', 'its first money, in $COR')
        .argParser(positiveAmountOption)
        .default(amountOption('100'), '100'),
    )
    .option(
      '--router <address>',
      'a router of the session; again for more (default: all that are active)',
      addressesOption,
    )
    .addOption(
      new Option('--pay <way>', 'from the account’s balance, or from the pool by its stake (pouw stake-to-use)')
        .choices(['balance', 'stake'])
        .default('balance'),
    )
    .option('--miner <address>', 'a dedicated miner; again for more (default: any)', addressesOption);
  return withJson(
    withRequestId(withAccount(withTerms(command), 'client')),
    'pouw session create --deposit 250 --model pebble-chat',
  ).action(async (options: CreateOptions) => (await import('./session/create.ts')).createSession(options));
}

function deposit(): Command {
  const command = new Command('deposit')
    .description(
      'Add $COR to an open session, with the permission signed in the same transaction; to a session of the pool, from the pool.',
    )
    .argument('<session>', 'the session', sessionOption)
    .argument('<amount>', 'how much, in $COR', positiveAmountOption);
  return withJson(withRequestId(withAccount(command, 'client')), 'pouw session deposit 31337-de75a151-1 50').action(
    async (...args: Parameters<typeof depositInSession>) =>
      (await import('./session/deposit.ts')).depositInSession(...args),
  );
}

function close(): Command {
  const command = new Command('close')
    .description(
      'Close a session: at once, or with the end of its last task. What is left comes back to its owner, or the pool.',
    )
    .argument('<session>', 'the session', sessionOption);
  return withJson(withAccount(command, 'client'), 'pouw session close 31337-de75a151-1').action(
    async (...args: Parameters<typeof closeSession>) => (await import('./session/close.ts')).closeSession(...args),
  );
}

function allow(): Command {
  const command = new Command('allow')
    .description(
      'Sign how much a router may spend of a session, without a transaction; or bring what was signed to the chain.',
    )
    .argument('[session]', 'the session; with --use the one in the file', sessionOption)
    .option('--router <address>', 'who may spend', addressOption)
    .option(
      '--limit <amount>',
      'of all tasks together, in $COR; what does not get spent of a task counts too',
      positiveAmountOption,
    )
    .option('--task-limit <amount>', 'of one task, in $COR (default: the limit)', positiveAmountOption)
    .option('--until <time>', 'until when: 2027-01-31T12:00:00Z, or from now 30m, 24h, 7d', timeOption)
    .option('--out <file>', 'write it there (default: print it)')
    .option('--use <file>', 'bring the allowance in this file; the account pays the gas, whosever it is');
  return withJson(
    withRequestId(withAccount(command, 'client')),
    'pouw session allow 31337-de75a151-1 --router 0x30fb… --limit 5 --until 24h --out allowance.json',
  ).action(async (...args: Parameters<typeof allowRouter>) =>
    (await import('./session/allow.ts')).allowRouter(...args),
  );
}

function revoke(): Command {
  const command = new Command('revoke')
    .description('Take back what a router may still spend, or make an allowance worthless that was only signed.')
    .argument('<session>', 'the session', sessionOption)
    .option('--router <address>', 'whose', addressOption)
    .option('--nonce <number>', 'the nonce in the signed allowance', nonceOption);
  return withJson(withAccount(command, 'client'), 'pouw session revoke 31337-de75a151-1 --router 0x30fb…').action(
    async (...args: Parameters<typeof revokeAllowance>) =>
      (await import('./session/revoke.ts')).revokeAllowance(...args),
  );
}

function key(): Command {
  const command = new Command('key')
    .description('Make an API key for a session and have a router take it, at the signature of the session’s owner.')
    .argument('<session>', 'the session', sessionOption)
    .option('--url <url>', 'the endpoint of a router of the session', 'http://127.0.0.1:8787/v1');
  return withJson(withAccount(command, 'client'), 'pouw session key 31337-de75a151-1').action(
    async (...args: Parameters<typeof makeSessionKey>) => (await import('./session/key.ts')).makeSessionKey(...args),
  );
}

function list(): Command {
  const command = new Command('list')
    .description('List the sessions of the account, of --client, or all.')
    .option('--client <address>', 'of this client instead', addressOption)
    .option('--all', 'of everybody');
  return withJson(withAccount(command, 'client'), 'pouw session list --all').action(async (options: ListOptions) =>
    (await import('./session/list.ts')).listSessions(options),
  );
}

function show(): Command {
  const command = new Command('show')
    .description('Show a session: state, money, terms.')
    .argument('<session>', 'the session', sessionOption);
  return withJson(withPlace(command), 'pouw session show 31337-de75a151-1').action(
    async (...args: Parameters<typeof showSession>) => (await import('./session/list.ts')).showSession(...args),
  );
}

/** A number of 256 bits. */
function nonceOption(text: string): string {
  if (/^\d{1,78}$/.test(text) && BigInt(text) < 2n ** 256n) return text;
  throw new InvalidArgumentError('It must be a number in decimal digits.');
}
