import { Command, InvalidArgumentError } from 'commander';
import type { DeployRunOptions } from './deploy-run.ts';
import { timelockDelayS } from '../adapters/chain/economy.ts';
import { folderOption, rpcUrlOption, wholeNumber } from './parse-options.ts';

function accountOption(text: string): string {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be an address: 0x and 40 hex digits.');
}

/** `pouw deploy`: the contracts on a chain, and money for nodes. */
export function deployCommand(): Command {
  return new Command('deploy')
    .description(
      'Put the contracts on a chain and write deployment.json, which every node needs. The account that deploys, POUW_DEPLOYER_KEY, holds the supply of $COR.',
    )
    .requiredOption('--rpc <url>', 'JSON-RPC endpoint of the chain', rpcUrlOption)
    .requiredOption('--data <dir>', 'folder for deployment.json and the transactions', folderOption)
    .option(
      '--fund <address...>',
      'accounts that get gas and 1,000,000 $COR each, once',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), accountOption(text)],
    )
    .option('--members <file>', 'the nodes in this file, as `pouw keys --json` prints them, get the same')
    .option('--treasury <address>', 'who gets what nobody else earns of a price; default the deployer', accountOption)
    .option(
      '--governor <address>',
      'who proposes new parameters, pauses and authorises; default the deployer',
      accountOption,
    )
    .option(
      '--timelock <seconds>',
      `how long new parameters are public before they hold; default ${timelockDelayS}, longer than any task can live`,
      wholeNumber(0, 5_184_000),
    )
    .option('--json', 'print one JSON line')
    .action(async (options: DeployRunOptions) => {
      const { runDeploy } = await import('./deploy-run.ts');
      await runDeploy(options);
    });
}
