import { Command } from 'commander';
import type { ShowUseOptions } from './use/show.ts';
import type { fundPool, stakeForUse, UseOptions } from './use/stake.ts';
import { addressOption, positiveAmountOption, withAccount, withJson, withRequestId } from './wallet/options.ts';

/** `pouw stake-to-use`: the second way to pay. */
export function useCommand(): Command {
  return new Command('stake-to-use')
    .description(
      'The second way to pay: a stake that may use so much of a pool a day, and comes back whole. `pouw session create --pay stake` opens a session by it.',
    )
    .addCommand(stake())
    .addCommand(unstake())
    .addCommand(withdraw())
    .addCommand(fund())
    .addCommand(show());
}

function stake(): Command {
  const command = new Command('stake')
    .description('Stake for the use of the network. What may be used begins at nothing and grows over a day.')
    .argument('<amount>', 'how much, in $COR', positiveAmountOption);
  return withJson(withRequestId(withAccount(command, 'client')), 'pouw stake-to-use stake 10000').action(
    async (...args: Parameters<typeof stakeForUse>) => (await import('./use/stake.ts')).stakeForUse(...args),
  );
}

function unstake(): Command {
  const command = new Command('unstake').description('Ask for the whole stake. From then on nothing may be used.');
  return withJson(withAccount(command, 'client'), 'pouw stake-to-use unstake').action(async (options: UseOptions) =>
    (await import('./use/stake.ts')).unstake(options),
  );
}

function withdraw(): Command {
  const command = new Command('withdraw').description('Take the stake back, 7 days after it was asked for.');
  return withJson(withAccount(command, 'client'), 'pouw stake-to-use withdraw').action(async (options: UseOptions) =>
    (await import('./use/stake.ts')).withdrawUseStake(options),
  );
}

function fund(): Command {
  const command = new Command('fund')
    .description('Give $COR to the pool that pays. Nobody gets it back but as pay for tasks.')
    .argument('<amount>', 'how much, in $COR', positiveAmountOption);
  return withJson(withRequestId(withAccount(command, 'client')), 'pouw stake-to-use fund 500').action(
    async (...args: Parameters<typeof fundPool>) => (await import('./use/stake.ts')).fundPool(...args),
  );
}

function show(): Command {
  const command = new Command('show')
    .description('Show a stake, what it may use now, its sessions, and the pool.')
    .option('--account <address>', 'of this account instead', addressOption);
  return withJson(withAccount(command, 'client'), 'pouw stake-to-use show').action(async (options: ShowUseOptions) =>
    (await import('./use/show.ts')).showUse(options),
  );
}
