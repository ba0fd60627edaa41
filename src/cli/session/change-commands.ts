import { Command, Option } from 'commander';
import { addressOption, sessionOption, withAccount, withJson, withRequestId } from '../wallet/options.ts';
import type { acceptSession, offerSession } from './offer.ts';
import type { addMiner, removeMiner } from './miners.ts';
import type { deactivateSession, reactivateSession } from './rest.ts';
import type { addRouter, removeRouter, replaceRouter } from './routers.ts';
import { withTerms } from './terms-options.ts';
import type { updateSession } from './update.ts';

/** The commands by which a session's owner changes it, and another account takes it over. */
export function changeCommands(): readonly Command[] {
  return [update(), offer(), accept(), deactivate(), reactivate(), routers(), miners()];
}

function update(): Command {
  const command = withTerms(
    aboutSession('update', 'Give a session other terms, for new tasks. What is not named stays as it is.'),
  )
    .option('--no-allowance-only', 'its routers may submit in its owner’s name')
    .addOption(
      new Option('--mode <mode>', 'whether any miner works for it, or its dedicated miners only').choices([
        'ephemeral',
        'dedicated',
      ]),
    );
  return byOwner(command, 'pouw session update 31337-de75a151-1 --redundancy 1 --max-price 2').action(
    async (...args: Parameters<typeof updateSession>) => (await import('./update.ts')).updateSession(...args),
  );
}

function offer(): Command {
  const command = aboutSession('offer', 'Offer a session to another account, which owns it once it accepts.')
    .option('--to <address>', 'to whom', addressOption)
    .option('--take-back', 'take an offer back');
  return byOwner(command, 'pouw session offer 31337-de75a151-1 --to 0x30fb…').action(
    async (...args: Parameters<typeof offerSession>) => (await import('./offer.ts')).offerSession(...args),
  );
}

function accept(): Command {
  const command = aboutSession('accept', 'Take over a session that was offered, with its money and its tasks.');
  return byOwner(command, 'pouw session accept 31337-de75a151-1 --key wallet.json').action(
    async (...args: Parameters<typeof acceptSession>) => (await import('./offer.ts')).acceptSession(...args),
  );
}

function deactivate(): Command {
  const command = aboutSession('deactivate', 'Let a session rest: it takes no new tasks, and its money stays.');
  return byOwner(command, 'pouw session deactivate 31337-de75a151-1').action(
    async (...args: Parameters<typeof deactivateSession>) => (await import('./rest.ts')).deactivateSession(...args),
  );
}

function reactivate(): Command {
  const command = aboutSession('reactivate', 'Have a session that rests take tasks again.');
  return byOwner(command, 'pouw session reactivate 31337-de75a151-1').action(
    async (...args: Parameters<typeof reactivateSession>) => (await import('./rest.ts')).reactivateSession(...args),
  );
}

function routers(): Command {
  const force = 'even if none of the routers it was opened with is left, and so nobody assigns its tasks';
  const add = withRouter(aboutSession('add', 'Let one more router serve a session.'));
  const remove = withRouter(aboutSession('remove', 'Take a router off a session; one at least stays.')).option(
    '--force',
    force,
  );
  const replace = withRouter(aboutSession('replace', 'Put another router in a router’s place, at once.'))
    .requiredOption('--by <address>', 'who takes its place', addressOption)
    .option('--force', force);
  const example = (what: string): string => `pouw session router ${what} 31337-de75a151-1 --router 0x30fb…`;
  return new Command('router')
    .description('The routers of a session: add one, take one off, put another one in its place.')
    .addCommand(
      byOwner(add, example('add')).action(async (...args: Parameters<typeof addRouter>) =>
        (await import('./routers.ts')).addRouter(...args),
      ),
    )
    .addCommand(
      byOwner(remove, example('remove')).action(async (...args: Parameters<typeof removeRouter>) =>
        (await import('./routers.ts')).removeRouter(...args),
      ),
    )
    .addCommand(
      byOwner(replace, `${example('replace')} --by 0x8fb1…`).action(async (...args: Parameters<typeof replaceRouter>) =>
        (await import('./routers.ts')).replaceRouter(...args),
      ),
    );
}

function miners(): Command {
  const add = withMiner(aboutSession('add', 'Add a dedicated miner.'));
  const remove = withMiner(aboutSession('remove', 'Take a dedicated miner off; as many stay as a task needs.'));
  const example = (what: string): string => `pouw session miner ${what} 31337-de75a151-1 --miner 0x45cc…`;
  return new Command('miner')
    .description('The dedicated miners of a session: add one, take one off.')
    .addCommand(
      byOwner(add, example('add')).action(async (...args: Parameters<typeof addMiner>) =>
        (await import('./miners.ts')).addMiner(...args),
      ),
    )
    .addCommand(
      byOwner(remove, example('remove')).action(async (...args: Parameters<typeof removeMiner>) =>
        (await import('./miners.ts')).removeMiner(...args),
      ),
    );
}

/** A command about one session. */
export function aboutSession(name: string, description: string): Command {
  return new Command(name).description(description).argument('<session>', 'the session', sessionOption);
}

/** The miner that a command is about. */
export function withMiner(command: Command): Command {
  return command.requiredOption('--miner <address>', 'which miner', addressOption);
}

function withRouter(command: Command): Command {
  return command.requiredOption('--router <address>', 'which router', addressOption);
}

function byOwner(command: Command, example: string): Command {
  return withJson(withRequestId(withAccount(command, 'client')), example);
}
