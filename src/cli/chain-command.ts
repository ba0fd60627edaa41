import { Command } from 'commander';
import type { ChainDeployOptions } from './chain-deploy-run.ts';
import { timelockDelayS } from '../adapters/chain/economy.ts';
import { defaultModel } from './compose/defaults.ts';
import { folderOption, rpcUrlOption, wholeNumber } from './parse-options.ts';
import { addressesOption, addressOption, withAccount, withJson, withPlace } from './wallet/options.ts';
import type { ChainShowOptions } from './chain-show-run.ts';
import type { CountOptions } from './registry/count-miners.ts';
import type { NodeOptions } from './registry/stake.ts';

/** Where an anvil listens unless it is told otherwise. */
const defaultRpc = 'http://127.0.0.1:8545';

/** `pouw chain`: the contracts on a chain. */
export function chainCommand(): Command {
  return new Command('chain')
    .description('The contracts on a chain: deploy them, look at them, have the treasury get what was slashed.')
    .addCommand(chainDeployCommand())
    .addCommand(show())
    .addCommand(sweepSlashed())
    .addCommand(countMiners());
}

/** `pouw chain deploy`: the contracts on a chain, and money for nodes. */
function chainDeployCommand(): Command {
  const command = new Command('deploy')
    .description(
      'Put the contracts on a chain and write deployment.json, which every node needs. The account that deploys, POUW_DEPLOYER_KEY, holds the supply of $COR; on an anvil that is not set an account of --data does it.',
    )
    .option('--rpc <url>', 'JSON-RPC endpoint of the chain', rpcUrlOption, defaultRpc)
    .requiredOption('--data <dir>', 'folder for deployment.json and the transactions', folderOption)
    .option('--fund <address...>', 'accounts that get gas and 1,000,000 $COR each, once', addressesOption)
    .option('--members <file>', 'the nodes in this file, as `pouw keys --json` prints them, get the same')
    .option('--treasury <address>', 'who gets what nobody else earns of a price; default the deployer', addressOption)
    .option(
      '--governor <address>',
      'who proposes new parameters, pauses and authorises; default the deployer',
      addressOption,
    )
    .option(
      '--timelock <seconds>',
      `how long new parameters are public before they hold; default ${timelockDelayS}, longer than any task can live`,
      wholeNumber(0, 5_184_000),
    );
  return withJson(
    command,
    'POUW_DEPLOYER_KEY=0x… pouw chain deploy --rpc $RPC --data deployer --members members',
  ).action(async (options: ChainDeployOptions) => (await import('./chain-deploy-run.ts')).runChainDeploy(options));
}

function show(): Command {
  const command = new Command('show').description(
    'Show a deployment: its addresses, its nodes and sessions, all its money, and whether that is conserved.',
  );
  return withJson(withPlace(command), 'pouw chain show').action(async (options: ChainShowOptions) =>
    (await import('./chain-show-run.ts')).showChain(options),
  );
}

function sweepSlashed(): Command {
  const command = new Command('sweep-slashed').description(
    'Send the treasury its part of what was slashed. Any account may, and pays the gas; `pouw claim` does it as the treasury.',
  );
  return withJson(withAccount(command, 'deployer'), 'pouw chain sweep-slashed --role oracle').action(
    async (options: NodeOptions) => (await import('./registry/sweep.ts')).sweepSlashed(options),
  );
}

function countMiners(): Command {
  const command = new Command('count-miners')
    .description(
      'Have the contract count each miner that serves a model, and strike those that do no longer: the use of the model is measured against them, and its prices follow. Any account may, and pays the gas.',
    )
    .option('--model <id>', 'the model', defaultModel);
  return withJson(withAccount(command, 'deployer'), 'pouw chain count-miners --model pebble-chat').action(
    async (options: CountOptions) => (await import('./registry/count-miners.ts')).countMiners(options),
  );
}
