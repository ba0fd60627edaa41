import { type ChainStore, openChainStore } from '../../adapters/chain/chain-store.ts';
import { connect } from '../../adapters/chain/connect.ts';
import { type DeploymentRecord, readDeploymentFile } from '../../adapters/chain/deployment-record.ts';
import { servesAnvil } from '../../adapters/chain/fund.ts';
import { createViemChain } from '../../adapters/chain/viem-chain.ts';
import type { DataDir } from '../../adapters/local/data-dir.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Chain } from '../../ports/chain.ts';
import type { Log } from '../../ports/log.ts';
import { rpcUrls } from '../config/rpc-urls.ts';
import type { NodeConfig } from '../config/schema.ts';
import type { Closers } from './closers.ts';
import type { Member } from './members.ts';
import { waitFor, type WaitOptions } from './wait-for.ts';

/** How long one try to reach the chain may take; the wait around it tries again. */
const tryMs = 2_000;

/** What a node's chain is made from. */
export interface NodeChainOptions {
  readonly config: NodeConfig;
  readonly data: DataDir;
  readonly member: Member;
  readonly log: Log;
  readonly wait: WaitOptions;
}

/** Reaches the chain and the contracts on it, waiting for what is not there yet. */
export async function openNodeChain(options: NodeChainOptions, closers: Closers): Promise<Chain> {
  const { config, data, member, log, wait } = options;
  const { rpc, pollMs, confirmations, feeCapGwei } = config;
  const rpcUrl = rpcUrls(rpc);
  const file = config.deployment ?? data.file('deployment.json');
  const record = await waitFor(`the deployment in ${file}`, wait, () => requireRecord(file));
  const { deployment } = record;
  await waitFor(`the chain at ${rpc}`, wait, async () => {
    const { chain } = await connect({ url: rpcUrl, retryMs: tryMs, signal: wait.signal }, deployment.chainId);
    if (chain !== record.chain) throw otherChain(rpc);
  });
  const store: ChainStore = openChainStore(data.file('chain', 'tx.sqlite'));
  closers.add(async () => store.close());
  const chain = await waitFor('the contracts', wait, async () =>
    createViemChain({
      rpcUrl,
      deployment,
      accounts: new Map([[member.address, member.accountKey]]),
      store,
      mineOnDemand: await servesAnvil(rpcUrl, tryMs),
      pollMs,
      confirmations,
      feeCapWei: BigInt(feeCapGwei) * 10n ** 9n,
      endpoints: { onChange: (change) => log.warn('another endpoint of the chain is in use', { ...change }) },
      onError: (error) => log.error('chain', { error: errorMessage(error) }),
    }),
  );
  closers.add(() => chain.close());
  return chain;
}

async function requireRecord(file: string): Promise<DeploymentRecord> {
  const record = await readDeploymentFile(file);
  if (record !== undefined) return record;
  throw new PouwError('deployment_missing', `There is no deployment in ${file}.`, {
    class: 'unavailable',
    hint: '`pouw chain deploy` puts the contracts on a chain and writes the file; copy it to every node.',
  });
}

function otherChain(rpcUrl: string): PouwError {
  return new PouwError('wrong_chain', `The node at ${rpcUrl} serves another chain than the contracts are on.`, {
    class: 'invalid',
    hint: 'Name the right node with --rpc, or the right file with --deployment.',
  });
}
