import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { addressOfKey } from '../adapters/chain/accounts.ts';
import { openChainStore } from '../adapters/chain/chain-store.ts';
import { deployContracts, type DeployOptions } from '../adapters/chain/deploy.ts';
import { deploymentFile } from '../adapters/chain/deployment-record.ts';
import { fundCor, fundGas, servesAnvil } from '../adapters/chain/fund.ts';
import { createViemChain } from '../adapters/chain/viem-chain.ts';
import { keyFileName, openKeyFile } from '../adapters/local/key-file.ts';
import { systemRandom } from '../adapters/local/system-clock.ts';
import { PouwError } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import type { Address } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';
import type { Deployment } from '../ports/chain.ts';
import { deployerKey } from './deployer-key.ts';
import { demoFundsWei } from './compose/settings.ts';
import { readMembers } from './nats-members.ts';
import { Progress } from './progress.ts';
import { report } from './wallet/report.ts';

/** What `pouw chain deploy` was asked for. */
export interface ChainDeployOptions {
  readonly rpc: string;
  readonly data: string;
  readonly fund?: readonly Address[];
  /** A file of members; the nodes among them get money too. */
  readonly members?: string;
  /** Who gets what nobody else earned of a price. */
  readonly treasury?: Address;
  /** Who proposes changes of the parameters, pauses and authorises. */
  readonly governor?: Address;
  /** Seconds between a proposal to change parameters and its execution. */
  readonly timelock?: number;
  readonly json?: boolean;
}

/** Deploys and says where things are. */
export async function runChainDeploy(options: ChainDeployOptions): Promise<void> {
  const { rpc, data, fund = [], members, json, treasury, governor, timelock } = options;
  const accounts = [...fund, ...(members === undefined ? [] : accountsOf(members))];
  const shares = new Map(accounts.map((address) => [address, demoFundsWei] as const));
  const key = deployerKey(process.env['POUW_DEPLOYER_KEY']) ?? (await ownKey(rpc, data));
  const progress = new Progress('deploying');
  const onStep = (step: string): void => progress.update(deploySteps.indexOf(step), deploySteps.length, step);
  const made = await deployNetwork({
    rpcUrl: rpc,
    folder: data,
    deployerKey: key,
    shares,
    onStep,
    ...(treasury === undefined ? {} : { treasury }),
    ...(governor === undefined ? {} : { governor }),
    ...(timelock === undefined ? {} : { timelockDelayS: timelock }),
  }).finally(() => progress.end());
  const { deployment, file, reused } = made;
  const deployer = addressOfKey(key);
  const { chainId, fromBlock, ...contracts } = deployment;
  const sentence = reused ? 'The contracts were deployed before.' : 'The contracts are on the chain.';
  const chain = `${chainId}, from block ${fromBlock}`;
  await report(json, { file, reused, deployer, ...deployment }, sentence, { file, chain, deployer, ...contracts });
}

const deploySteps = ['gas', 'contracts', 'money'];

/** A chain of one's own needs no key of one's own: an account of the folder deploys, whose gas anvil gives. */
async function ownKey(rpc: string, data: string): Promise<Hex> {
  if (await servesAnvil(rpc, anvilWithinMs)) {
    mkdirSync(resolve(data), { recursive: true });
    return openKeyFile(join(resolve(data), keyFileName), systemRandom, [deploymentFile(resolve(data))]).account(
      'deployer',
      0,
    );
  }
  throw new PouwError('deployer_key_missing', 'POUW_DEPLOYER_KEY is not set.', {
    class: 'invalid',
    hint: 'It is the private key of the account that deploys: 0x and 64 hex digits.',
  });
}

const anvilWithinMs = 5_000;

/** The accounts of the nodes in a file of members; an observer or operator has none. */
function accountsOf(file: string): Address[] {
  return readMembers(file)
    .filter(({ role }) => role !== 'observer' && role !== 'operator')
    .map(({ address }) => address);
}

/** Where to deploy, who governs, and who gets money. */
export interface DeployNetworkOptions extends Pick<
  DeployOptions,
  'treasury' | 'governor' | 'timelockDelayS' | 'incentives'
> {
  readonly rpcUrl: string;
  /** The folder of the record and of the deployer's transactions; made where it is missing. */
  readonly folder: string;
  readonly deployerKey: Hex;
  /** $COR for each account; all of them get gas as well. */
  readonly shares: ReadonlyMap<Address, Wei>;
  /** Told what is going on, for a person who waits: `gas`, `contracts`, `money`. */
  readonly onStep?: (step: string) => void;
}

/** Puts the contracts on a chain where they are not there yet, and gives accounts their first money, once each. */
export async function deployNetwork(
  options: DeployNetworkOptions,
): Promise<{ readonly deployment: Deployment; readonly file: string; readonly reused: boolean }> {
  const { rpcUrl, deployerKey: key, shares, folder: asked, onStep = () => undefined, ...governance } = options;
  const folder = resolve(asked);
  mkdirSync(folder, { recursive: true });
  const deployer = addressOfKey(key);
  const store = openChainStore(`${folder}/deployer.sqlite`);
  try {
    onStep('gas');
    await fundGas({ rpcUrl, accounts: [deployer] });
    // Nodes begin once the deployment's record is there, and each then pays for its own registration.
    await fundGas({ rpcUrl, accounts: [...shares.keys()], funder: { key, store } });
    onStep('contracts');
    const { deployment, reused } = await deployContracts({
      rpcUrl,
      store,
      deployerKey: key,
      directory: folder,
      ...governance,
    });
    onStep('money');
    const accounts = new Map([[deployer, key]]);
    const chain = await createViemChain({ rpcUrl, deployment, accounts, store });
    try {
      await fundCor(chain, deployer, shares);
    } finally {
      await chain.close();
    }
    return { deployment, file: deploymentFile(folder), reused };
  } finally {
    store.close();
  }
}
