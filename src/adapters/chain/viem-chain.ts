import { type LocalAccount, numberToHex, type TransactionReceipt } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { Chain, ChainReceipt, Deployment } from '../../ports/chain.ts';
import { accountOfKey } from './accounts.ts';
import { BlockWaiter } from './block-waiter.ts';
import type { BlockRef } from './block-window.ts';
import { encodeCall } from './calls.ts';
import type { ChainStore } from './chain-store.ts';
import { connect, type Connection, pinDeployment, requireContracts } from './connect.ts';
import { effectsOnChain } from './effects-on-chain.ts';
import { withTimes } from './fact-reader.ts';
import { decodeFacts } from './facts.ts';
import { createFees } from './fees.ts';
import { Follower } from './follower.ts';
import { HeadTracker } from './head-tracker.ts';
import type { RawLog } from './logs.ts';
import { isMessageSigned, signMessage } from './messages.ts';
import { createReads } from './reads.ts';
import { createSigning } from './signing.ts';
import { permitRequest } from './permit.ts';
import { chainError, createRpcClient, type RpcClient } from './rpc-client.ts';
import { RpcEndpoints, type RpcEndpointsOptions, type RpcUrls } from './rpc-endpoints.ts';
import { createSenderPool, type SenderPool, unknownAccount } from './sender-pool.ts';
import { defaultBumpAfterMs, effectKey } from './sender.ts';

/** How to reach a deployment and who we are there. */
export interface ViemChainOptions {
  /** One endpoint or several of the same chain, the preferred one first. */
  readonly rpcUrl: RpcUrls;
  readonly deployment: Deployment;
  /** The private keys of our accounts; they stay in this process and in no log. */
  readonly accounts: ReadonlyMap<Address, Hex>;
  /** What was sent and reported; closed by its owner, after this chain. */
  readonly store: ChainStore;
  /** Blocks a fact needs on it before it is reported, its own included. Default 1. */
  readonly confirmations?: number;
  /** Time between two looks at the chain, in milliseconds. Default 100, right for a local chain. */
  readonly pollMs?: number;
  /** How long a request is tried again while the node cannot be reached, in milliseconds. Default 30,000. */
  readonly retryMs?: number;
  /** How long one request may take before it counts as an outage, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** How long a transaction may wait to be mined, in milliseconds. Default 120,000. */
  readonly patienceMs?: number;
  /** How long it waits before it is replaced by one with a higher fee, in milliseconds. Default 30,000. */
  readonly bumpAfterMs?: number;
  /** The most that is offered per unit of gas, in wei of the chain's own coin. Default 500 gwei. */
  readonly feeCapWei?: bigint;
  /** How several endpoints are chosen, and who is told. */
  readonly endpoints?: RpcEndpointsOptions;
  /** Whether {@link Chain.waitForBlock} may ask for the next blocks: on anvil only. Default false. */
  readonly mineOnDemand?: boolean;
  /**
   * Makes a block and all before it durable, before anything of it is told to anybody: for a chain of our own, whose
   * blocks are in memory. Default: the node sees to it.
   */
  readonly keep?: (block: BlockRef) => Promise<void>;
  /** Told of errors nobody waits for: a feed's handler that threw, a healing that failed. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
  /** Aborted where the chain is gone for good: nothing is tried again any more. */
  readonly signal?: AbortSignal;
}

/**
 * The chain over JSON-RPC, by viem.
 *
 * @throws PouwError `chain_unreachable`, `wrong_chain`, `contracts_missing`, `invalid_key`.
 */
export async function createViemChain(options: ViemChainOptions): Promise<Chain> {
  const { deployment, rpcUrl: url, store } = options;
  const stop = new AbortController();
  options.signal?.addEventListener('abort', () => stop.abort(), { once: true });
  const retryMs = options.retryMs ?? 30_000;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const onError =
    options.onError ?? ((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)));
  const endpoints = new RpcEndpoints(url, { onForeign: onError, ...options.endpoints });
  const connection = await connect({ url: endpoints, retryMs, timeoutMs, signal: stop.signal }, deployment.chainId);
  await requireContracts(connection, deployment);
  await pinDeployment(connection, deployment.fromBlock);
  const { chain, client } = connection;
  // What an earlier run has reported must not be taken back because the first node that answers lags.
  endpoints.saw(store.recentFacts.blocks(chain).at(-1)?.number ?? 0);
  const pollMs = options.pollMs ?? 100;
  const patienceMs = options.patienceMs ?? 120_000;
  const senders = createSenderPool([...options.accounts.values()].map(accountOfKey), {
    ...connection,
    journal: store.journal,
    fees: createFees(client, options.feeCapWei),
    effectsOnChain: (account) => effectsOnChain(client, deployment, account),
    pollMs,
    patienceMs,
    bumpAfterMs: options.bumpAfterMs ?? defaultBumpAfterMs,
  });
  const tracker = new HeadTracker({
    client: createRpcClient({ url: endpoints, retryMs: 0, timeoutMs, signal: stop.signal }),
    deployment,
    chain,
    recentFacts: store.recentFacts,
    confirmations: options.confirmations ?? 1,
    pollMs,
    keep: options.keep ?? kept,
    onReorg: () => void senders.heal().catch(onError),
  });
  return assembleChain({ options, connection, senders, tracker, stop, onError });
}

/** A public chain keeps its blocks itself. */
async function kept(): Promise<void> {}

interface Parts {
  readonly options: ViemChainOptions;
  readonly connection: Connection;
  readonly senders: SenderPool;
  readonly tracker: HeadTracker;
  readonly stop: AbortController;
  readonly onError: (error: unknown) => void;
}

function assembleChain({ options, connection, senders, tracker, stop, onError }: Parts): Chain {
  const { deployment, store } = options;
  const { client, chain } = connection;
  const keep = options.keep ?? kept;
  const waiter = new BlockWaiter({ tracker, client, mineOnDemand: options.mineOnDemand ?? false, keep });
  const followers = new Set<Follower>();
  const reads = createReads(client, deployment);
  return {
    deployment,
    ...reads,
    ...createSigning([...options.accounts.values()].map(accountOfKey)),
    block: async (number) => {
      const block = await reads.block(number);
      await keep(block);
      return block;
    },
    send: async (from, call, effect) => {
      const key = effectKey(effect);
      const source =
        call.call === 'depositWithPermit'
          ? permitRequest(client, deployment, call, key)
          : encodeCall(deployment, call, key);
      const receipt = await senders.send(from, source, effect);
      tracker.nudge();
      await keep({ number: Number(receipt.blockNumber), hash: receipt.blockHash });
      return toChainReceipt(client, deployment, receipt);
    },
    sign: async (by, message) => signMessage(accountOf(options.accounts, by), deployment, message),
    isSigned: (by, message, signature) => isMessageSigned(by, deployment, message, signature),
    waitForBlock: (number, signal) => waiter.wait(number, signal),
    follow: (cursor, feed) => {
      const { recentFacts } = store;
      connection.endpoints.saw(cursor?.block ?? 0);
      const follower = new Follower({ tracker, client, deployment, chain, recentFacts, cursor, feed, onError });
      followers.add(follower);
      return {
        close: async () => {
          await follower.close();
          followers.delete(follower);
        },
      };
    },
    close: async () => {
      await Promise.all([...followers].map((follower) => follower.close()));
      waiter.close();
      await tracker.close();
      stop.abort();
    },
  };
}

function accountOf(accounts: ReadonlyMap<Address, Hex>, address: Address): LocalAccount {
  const key = accounts.get(address);
  if (key === undefined) throw unknownAccount(address);
  return accountOfKey(key);
}

async function toChainReceipt(
  client: RpcClient,
  deployment: Deployment,
  receipt: TransactionReceipt,
): Promise<ChainReceipt> {
  try {
    const { logs, times } = await withTimes(client, receipt.logs.map(toRawLog));
    return {
      txHash: receipt.transactionHash,
      block: Number(receipt.blockNumber),
      gasUsed: Number(receipt.gasUsed),
      facts: decodeFacts(deployment, logs, (hash) => times.get(hash) ?? 0),
    };
  } catch (error) {
    throw chainError(error, 'a question for a block');
  }
}

/** A receipt's log in the form in which `eth_getLogs` sends it. */
function toRawLog(log: TransactionReceipt['logs'][number]): RawLog {
  const { address, topics, data, blockHash, blockNumber, transactionHash, transactionIndex, logIndex, removed } = log;
  const timestamp =
    'blockTimestamp' in log && typeof log.blockTimestamp === 'bigint'
      ? { blockTimestamp: numberToHex(log.blockTimestamp) }
      : {};
  return {
    address,
    topics,
    data,
    blockHash,
    blockNumber: numberToHex(blockNumber),
    transactionHash,
    transactionIndex: numberToHex(transactionIndex),
    logIndex: numberToHex(logIndex),
    removed,
    ...timestamp,
  };
}
