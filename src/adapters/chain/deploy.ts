import { encodeDeployData, encodeFunctionData, type TransactionReceipt } from 'viem';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type EffectId, toAddress } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { anchorsAbi, corAbi, queueAbi, registryAbi, sessionsAbi } from './abi.ts';
import { accountOfKey, addressOfKey } from './accounts.ts';
import { anchorsBytecode, corBytecode, queueBytecode, registryBytecode, sessionsBytecode } from './bytecode.ts';
import { contractErrors } from './calls.ts';
import type { ChainStore } from './chain-store.ts';
import { connect, type Connection, requireContracts } from './connect.ts';
import { readDeploymentRecord, writeDeploymentRecord } from './deployment-record.ts';
import { createFees } from './fees.ts';
import { createSenderPool, type SenderPool } from './sender-pool.ts';

/** Where and by whom the contracts are deployed. */
export interface DeployOptions {
  readonly rpcUrl: string;
  readonly store: ChainStore;
  /** The private key that deploys, binds the queue, and receives the whole supply of $COR. */
  readonly deployerKey: Hex;
  /** Who gets what nobody else earned of a price; the deployer where it is left out. */
  readonly treasury?: Address;
  /** The folder of the record, `<data>/chain`. */
  readonly directory: string;
  /** How long the node may be unreachable, in milliseconds. Default 30,000. */
  readonly retryMs?: number;
}

/** A deployment and whether it was there. */
export interface DeployResult {
  readonly deployment: Deployment;
  readonly reused: boolean;
}

/**
 * The recorded deployment where the chain still has it, else a new one. Deploying goes through the journal
 * like any other transaction: after a crash in the middle it goes on where it was, to the same addresses.
 *
 * @throws PouwError what {@link SenderPool.send} throws; `deployment_unreadable` for a damaged record.
 */
export async function deployContracts(options: DeployOptions): Promise<DeployResult> {
  const connection = await connect({ url: options.rpcUrl, retryMs: options.retryMs ?? 30_000 });
  const recorded = await readRecord(options.directory, connection);
  if (recorded !== undefined && (await isDeployed(connection, recorded))) return { deployment: recorded, reused: true };
  const { client } = connection;
  const senders = createSenderPool([accountOfKey(options.deployerKey)], {
    ...connection,
    journal: options.store.journal,
    fees: createFees(client),
    // Nothing of ours is on a chain without contracts.
    effectsOnChain: async () => new Map(),
    pollMs: 100,
    patienceMs: 120_000,
  });
  const deployer = addressOfKey(options.deployerKey);
  const deployment = await deployAll(connection.chainId, senders, deployer, options.treasury ?? deployer);
  await writeDeploymentRecord(options.directory, { chain: connection.chain, deployment });
  return { deployment, reused: false };
}

async function deployAll(
  chainId: number,
  senders: SenderPool,
  deployer: Address,
  treasury: Address,
): Promise<Deployment> {
  const send = (name: string, data: Hex, to?: Address): Promise<TransactionReceipt> => {
    const target = to === undefined ? {} : { to };
    return senders.send(
      deployer,
      { data, call: name, errors: contractErrors, ...target },
      `deploy:${name}` as EffectId,
    );
  };
  const create = async (name: string, data: Hex): Promise<Address> => {
    return toAddress(present((await send(name, data)).contractAddress, 'the address of a new contract'));
  };
  const first = await send('Cor', encodeDeployData({ abi: corAbi, bytecode: corBytecode, args: [deployer] }));
  const cor = toAddress(present(first.contractAddress, 'the address of a new contract'));
  const registry = await create(
    'NodeRegistry',
    encodeDeployData({ abi: registryAbi, bytecode: registryBytecode, args: [cor] }),
  );
  const sessions = await create(
    'Sessions',
    encodeDeployData({ abi: sessionsAbi, bytecode: sessionsBytecode, args: [cor, registry] }),
  );
  const queueArgs = [registry, sessions, treasury] as const;
  const queue = await create(
    'TaskQueue',
    encodeDeployData({ abi: queueAbi, bytecode: queueBytecode, args: queueArgs }),
  );
  const anchors = await create(
    'LogAnchor',
    encodeDeployData({ abi: anchorsAbi, bytecode: anchorsBytecode, args: [registry] }),
  );
  const bind = encodeFunctionData({ abi: registryAbi, functionName: 'bindQueue', args: [queue] });
  await send('NodeRegistry.bindQueue', bind, registry);
  await send('Sessions.bindQueue', bind, sessions);
  return { chainId, fromBlock: Number(first.blockNumber), cor, registry, sessions, queue, anchors };
}

async function isDeployed(connection: Connection, deployment: Deployment): Promise<boolean> {
  try {
    await requireContracts(connection, deployment);
    return true;
  } catch (error) {
    if (error instanceof PouwError && error.code === 'contracts_missing') return false;
    throw error;
  }
}

/** The recorded deployment, undefined where there is none or it is another chain's. */
async function readRecord(directory: string, connection: Connection): Promise<Deployment | undefined> {
  const record = await readDeploymentRecord(directory);
  if (record === undefined) return undefined;
  const { chain, deployment } = record;
  return chain === connection.chain && deployment.chainId === connection.chainId ? deployment : undefined;
}
