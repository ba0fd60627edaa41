import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runningChain } from '../../adapters/chain/chain-copy.ts';
import { type DeploymentRecord, deploymentFile, readDeploymentFile } from '../../adapters/chain/deployment-record.ts';
import type { RpcUrls } from '../../adapters/chain/rpc-endpoints.ts';
import { PouwError } from '../../core/errors.ts';
import { rpcUrls } from '../config/rpc-urls.ts';
import { defaultDataFolder } from '../data-folder.ts';

/** Where the command line says the chain and its contracts are. */
export interface PlaceOptions {
  readonly data?: string;
  readonly rpc?: readonly string[];
  readonly deployment?: string;
}

/** A deployment on a chain that answers somewhere. */
export interface ChainPlace {
  readonly rpcUrl: RpcUrls;
  readonly record: DeploymentRecord;
  /** The data folder. */
  readonly folder: string;
}

/** The data folder of a command. */
export function dataFolder({ data }: Pick<PlaceOptions, 'data'>): string {
  return data ?? defaultDataFolder();
}

/**
 * Finds contracts and chain: what the command line names, else the environment (`POUW_RPC`, `POUW_DEPLOYMENT`), else what
 * a network has written into its data folder.
 *
 * @throws PouwError `deployment_missing`, `deployment_unreadable`, `chain_not_running`.
 */
export async function findPlace(options: PlaceOptions, environment = process.env): Promise<ChainPlace> {
  const folder = dataFolder(options);
  const file = options.deployment ?? named(environment['POUW_DEPLOYMENT']) ?? recordIn(folder);
  const record = file === undefined ? undefined : await readDeploymentFile(file);
  if (file === undefined || record === undefined) throw deploymentMissing(file ?? folder);
  const listed = named(environment['POUW_RPC']);
  const rpcUrl =
    options.rpc ?? (listed === undefined ? undefined : rpcUrls(listed)) ?? (await runningChain(dirname(file)));
  if (rpcUrl === undefined) throw notRunning(folder);
  return { rpcUrl, record, folder };
}

/** A variable that is set to nothing is not set. */
function named(variable: string | undefined): string | undefined {
  return variable === '' ? undefined : variable;
}

/** The record of a network's own chain, or the one that `pouw chain deploy` has written. */
function recordIn(folder: string): string | undefined {
  return [deploymentFile(join(folder, 'chain')), deploymentFile(folder)].find((file) => existsSync(file));
}

function deploymentMissing(place: string): PouwError {
  return new PouwError('deployment_missing', `There is no deployment in ${place}.`, {
    class: 'not-found',
    hint: 'Name the folder of a network with --data, or the deployment.json of its contracts with --deployment. `pouw chain deploy` makes one.',
    param: 'deployment',
  });
}

function notRunning(folder: string): PouwError {
  return new PouwError('chain_not_running', `No chain runs on ${folder}.`, {
    class: 'unavailable',
    why: 'The network there is not up, or its chain is one that it was given with --rpc.',
    hint: 'Start it with `pouw start --data`, or name the chain with --rpc.',
    param: 'rpc',
  });
}
