import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { isAddress, toAddress } from '../../core/ids.ts';
import { contractNames, type Deployment } from '../../ports/chain.ts';

/** A deployment and the chain it is on. */
export interface DeploymentRecord {
  /** {@link Connection.chain}: tells chains with the same id apart. */
  readonly chain: Hex;
  readonly deployment: Deployment;
}

const fileName = 'deployment.json';

/**
 * The deployment recorded in a chain folder, undefined where there is none.
 *
 * @throws PouwError `deployment_unreadable` for a damaged record.
 */
export function readDeploymentRecord(directory: string): Promise<DeploymentRecord | undefined> {
  return readDeploymentFile(deploymentFile(directory));
}

/** The file of a record in a folder. */
export function deploymentFile(directory: string): string {
  return join(directory, fileName);
}

/** The record in a file of any name, undefined where there is none. @throws PouwError `deployment_unreadable`. */
export async function readDeploymentFile(file: string): Promise<DeploymentRecord | undefined> {
  try {
    return parseRecord(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new PouwError('deployment_unreadable', `The record ${file} cannot be read.`, {
      class: 'corrupt',
      why: errorMessage(cause),
      hint: 'Restore the file from a copy: the log beside it is of that deployment alone.',
      cause,
    });
  }
}

function parseRecord(value: unknown): DeploymentRecord {
  const { chain, deployment } = value as { readonly chain?: unknown; readonly deployment?: Record<string, unknown> };
  if (typeof chain !== 'string' || !/^0x[0-9a-f]{64}$/.test(chain)) throw new Error('it does not name its chain');
  const { chainId, fromBlock } = deployment ?? {};
  if (!Number.isSafeInteger(chainId) || !Number.isSafeInteger(fromBlock))
    throw new Error('it has no chain id or block');
  const addresses = contractNames.map((name) => {
    const address = deployment?.[name];
    if (typeof address !== 'string' || !isAddress(address)) throw new Error(`it has no address of ${name}`);
    return [name, toAddress(address)] as const;
  });
  const contracts = Object.fromEntries(addresses) as Pick<Deployment, (typeof contractNames)[number]>;
  return {
    chain: chain as Hex,
    deployment: { chainId: Number(chainId), fromBlock: Number(fromBlock), ...contracts },
  };
}

/** Writes the record, whole or not at all; makes the folder where it is missing. */
export async function writeDeploymentRecord(directory: string, record: DeploymentRecord): Promise<void> {
  const file = deploymentFile(directory);
  await mkdir(directory, { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}
