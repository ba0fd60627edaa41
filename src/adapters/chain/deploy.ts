import type { TransactionReceipt } from 'viem';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type EffectId, toAddress } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { accountOfKey, addressOfKey } from './accounts.ts';
import { contractErrors } from './calls.ts';
import type { ChainStore } from './chain-store.ts';
import { connect, type Connection, requireContracts } from './connect.ts';
import { bindings, creations, type DeploymentTerms, type Made } from './deployment-plan.ts';
import { readDeploymentRecord, writeDeploymentRecord } from './deployment-record.ts';
import { defaultEconomy, type Economy, type Incentives, incentives, timelockDelayS } from './economy.ts';
import { createFees } from './fees.ts';
import type { RpcUrls } from './rpc-endpoints.ts';
import { defaultBumpAfterMs } from './sender.ts';
import { createSenderPool, type SenderPool } from './sender-pool.ts';

/** Where and by whom the contracts are deployed. */
export interface DeployOptions {
  readonly rpcUrl: RpcUrls;
  readonly store: ChainStore;
  /** The private key that deploys, binds the modules, and receives the genesis supply of $COR. */
  readonly deployerKey: Hex;
  /** Who proposes changes of the parameters, pauses and authorises; the deployer where it is left out. */
  readonly governor?: Address;
  /** Seconds between a proposal to change parameters and its execution. Default {@link timelockDelayS}. */
  readonly timelockDelayS?: number;
  /** Who gets what nobody else earned of a price; the deployer where it is left out. */
  readonly treasury?: Address;
  /** Numbers to start with that are not {@link defaultEconomy}'s. */
  readonly economy?: Partial<Economy>;
  /** Times and emission that are not those of {@link incentives}. */
  readonly incentives?: Partial<Incentives> | undefined;
  /** The folder of the record, `<data>/chain`. */
  readonly directory: string;
  /** How long the node may be unreachable, in milliseconds. Default 30,000. */
  readonly retryMs?: number;
  /** Ends all waiting for the node. */
  readonly signal?: AbortSignal;
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
  const { rpcUrl: url, retryMs = 30_000, signal } = options;
  const connection = await connect({ url, retryMs, ...(signal && { signal }) });
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
    bumpAfterMs: defaultBumpAfterMs,
  });
  const deployer = addressOfKey(options.deployerKey);
  const deployment = await deployAll(connection.chainId, senders, deployer, termsOf(options, deployer));
  await writeDeploymentRecord(options.directory, { chain: connection.chain, deployment });
  return { deployment, reused: false };
}

function termsOf(options: DeployOptions, deployer: Address): DeploymentTerms {
  const governor = options.governor ?? deployer;
  return {
    holder: deployer,
    proposer: governor,
    guardian: governor,
    registrar: governor,
    timelockDelayS: options.timelockDelayS ?? timelockDelayS,
    economy: { ...defaultEconomy(options.treasury ?? deployer), ...options.economy },
    incentives: { ...incentives, ...options.incentives },
  };
}

async function deployAll(
  chainId: number,
  senders: SenderPool,
  deployer: Address,
  terms: DeploymentTerms,
): Promise<Deployment> {
  const send = (name: string, data: Hex, to?: Address): Promise<TransactionReceipt> => {
    const target = to === undefined ? {} : { to };
    return senders.send(
      deployer,
      { data, call: name, errors: contractErrors, ...target },
      `deploy:${name}` as EffectId,
    );
  };
  const made = {} as { -readonly [name in keyof Made]: Address };
  let fromBlock = 0;
  for (const { name, contract, data } of creations) {
    const { contractAddress, blockNumber } = await send(contract, data(made, terms));
    made[name] = toAddress(present(contractAddress, 'the address of a new contract'));
    if (fromBlock === 0) fromBlock = Number(blockNumber);
  }
  for (const { target, call, data } of bindings(made)) await send(call, data, made[target]);
  const { upkeep: _, verdicts: __, steps: ___, ...contracts } = made;
  return { chainId, fromBlock, ...contracts };
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
