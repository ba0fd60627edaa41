import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { addressOfKey } from '../adapters/chain/accounts.ts';
import { openChainStore } from '../adapters/chain/chain-store.ts';
import { deployContracts, type DeployOptions } from '../adapters/chain/deploy.ts';
import { deploymentFile } from '../adapters/chain/deployment-record.ts';
import { fundCor, fundGas } from '../adapters/chain/fund.ts';
import { createViemChain } from '../adapters/chain/viem-chain.ts';
import { PouwError } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import type { Address } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';
import { contractNames, type Deployment } from '../ports/chain.ts';
import { deployerKey } from './deployer-key.ts';
import { demoFundsWei } from './compose/settings.ts';
import { readMembers } from './nats-members.ts';

/** What `pouw deploy` was asked for. */
export interface DeployRunOptions {
  readonly rpc: string;
  readonly data: string;
  readonly fund?: readonly string[];
  /** A file of members; the nodes among them get money too. */
  readonly members?: string;
  /** Who gets what nobody else earned of a price. */
  readonly treasury?: string;
  /** Who proposes changes of the parameters, pauses and authorises. */
  readonly governor?: string;
  /** Seconds between a proposal to change parameters and its execution. */
  readonly timelock?: number;
  readonly json?: boolean;
}

/** Deploys with the key of the environment and says where things are. */
export async function runDeploy(options: DeployRunOptions): Promise<void> {
  const { rpc, data, fund = [], members, json, treasury, governor, timelock } = options;
  const key = deployerKey(process.env['POUW_DEPLOYER_KEY']);
  if (key === undefined) {
    throw new PouwError('deployer_key_missing', 'POUW_DEPLOYER_KEY is not set.', {
      class: 'invalid',
      hint: 'It is the private key of the account that deploys: 0x and 64 hex digits.',
    });
  }
  const accounts = [...(fund as readonly Address[]), ...(members === undefined ? [] : accountsOf(members))];
  const shares = new Map(accounts.map((address) => [address, demoFundsWei] as const));
  const { deployment, file } = await deployNetwork({
    rpcUrl: rpc,
    folder: data,
    deployerKey: key,
    shares,
    ...(treasury === undefined ? {} : { treasury: treasury as Address }),
    ...(governor === undefined ? {} : { governor: governor as Address }),
    ...(timelock === undefined ? {} : { timelockDelayS: timelock }),
  });
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ file, ...deployment })}\n`);
    return;
  }
  const lines = [['file', file] as const, ...contractNames.map((name) => [name, deployment[name]] as const)];
  process.stdout.write(`${lines.map(([name, value]) => `  ${name.padEnd(12)}${value}`).join('\n')}\n`);
}

/** The accounts of the nodes in a file of members; an observer or operator has none. */
function accountsOf(file: string): Address[] {
  return readMembers(file)
    .filter(({ role }) => role !== 'observer' && role !== 'operator')
    .map(({ address }) => address);
}

/** Where to deploy, who governs, and who gets money. */
export interface DeployNetworkOptions extends Pick<DeployOptions, 'treasury' | 'governor' | 'timelockDelayS'> {
  readonly rpcUrl: string;
  /** The folder of the record and of the deployer's transactions; made where it is missing. */
  readonly folder: string;
  readonly deployerKey: Hex;
  /** $COR for each account; all of them get gas as well. */
  readonly shares: ReadonlyMap<Address, Wei>;
}

/** Puts the contracts on a chain where they are not there yet, and gives accounts their first money, once each. */
export async function deployNetwork(
  options: DeployNetworkOptions,
): Promise<{ readonly deployment: Deployment; readonly file: string }> {
  const { rpcUrl, deployerKey: key, shares, folder: asked, ...governance } = options;
  const folder = resolve(asked);
  mkdirSync(folder, { recursive: true });
  const deployer = addressOfKey(key);
  const store = openChainStore(`${folder}/deployer.sqlite`);
  try {
    await fundGas({ rpcUrl, accounts: [deployer] });
    // Nodes begin once the deployment's record is there, and each then pays for its own registration.
    await fundGas({ rpcUrl, accounts: [...shares.keys()], funder: { key, store } });
    const { deployment } = await deployContracts({ rpcUrl, store, deployerKey: key, directory: folder, ...governance });
    const accounts = new Map([[deployer, key]]);
    const chain = await createViemChain({ rpcUrl, deployment, accounts, store });
    try {
      await fundCor(chain, deployer, shares);
    } finally {
      await chain.close();
    }
    return { deployment, file: deploymentFile(folder) };
  } finally {
    store.close();
  }
}
