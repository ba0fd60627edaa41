import { cpSync } from 'node:fs';
import { anvilBlock, type AnvilBlock, anvilRequest, newestBlock } from '../../src/adapters/chain/anvil-rpc.ts';
import { restoreChain } from '../../src/adapters/chain/anvil-restore.ts';
import { spawnAnvil, type SpawnedAnvil } from '../../src/adapters/chain/anvil-spawn.ts';
import { type ChainStore, openChainStore } from '../../src/adapters/chain/chain-store.ts';
import type { EndpointChange } from '../../src/adapters/chain/rpc-endpoints.ts';
import { signedBytes } from '../../src/adapters/chain/signed-bytes.ts';
import { createViemChain, type ViemChainOptions } from '../../src/adapters/chain/viem-chain.ts';
import { present } from '../../src/core/assert.ts';
import type { Chain, Deployment } from '../../src/ports/chain.ts';
import { cast, castKeys, preparedFolder, storeFile } from './chain.local-chain.ts';
import { type RpcProxy, startRpcProxy } from './rpc-proxy.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

/** One anvil of several that have the same chain, and a proxy before it. */
export interface Replica {
  readonly anvil: SpawnedAnvil;
  readonly proxy: RpcProxy;
  readonly scratch: ScratchDirectory;
}

/** Two real nodes of one prepared chain: the first makes blocks, the second gets them when a test says so. */
export class ReplicaPair {
  readonly deployment: Deployment;
  readonly first: Replica;
  readonly second: Replica;
  /** Every move from one endpoint to another. */
  readonly changes: EndpointChange[] = [];
  readonly errors: unknown[] = [];
  readonly cast = cast;
  store: ChainStore;
  #opened: Chain[] = [];

  constructor(deployment: Deployment, first: Replica, second: Replica) {
    this.deployment = deployment;
    this.first = first;
    this.second = second;
    this.store = openChainStore(storeFile(first.scratch.path));
  }

  /** A chain on both, the first one preferred. */
  async open(change: Partial<ViemChainOptions> = {}): Promise<Chain> {
    const chain = await createViemChain({
      rpcUrl: [this.first.proxy.url, this.second.proxy.url],
      deployment: this.deployment,
      accounts: castKeys,
      store: this.store,
      pollMs: 40,
      timeoutMs: 1_000,
      onError: (error) => this.errors.push(error),
      ...change,
      endpoints: { lookEveryMs: 100, onChange: (moved) => this.changes.push(moved), ...change.endpoints },
    });
    this.#opened.push(chain);
    return chain;
  }

  /** Closes what was opened; the store stays. */
  async closeChains(): Promise<void> {
    for (const chain of this.#opened.splice(0)) await chain.close();
  }

  async close(): Promise<void> {
    await this.closeChains();
    this.store.close();
    for (const { anvil, proxy, scratch } of [this.first, this.second]) {
      await proxy.close();
      anvil.child.kill('SIGKILL');
      await anvil.exited;
      scratch.remove();
    }
  }
}

/** Starts a pair. */
export async function startReplicaPair(): Promise<ReplicaPair> {
  const { scratch, deployment } = await preparedFolder();
  const other = scratchDirectory();
  cpSync(scratch.path, other.path, { recursive: true });
  const start = async (place: ScratchDirectory): Promise<Replica> => {
    const anvil = await spawnAnvil({ directory: place.path });
    await restoreChain(anvil.url, undefined);
    return { anvil, proxy: await startRpcProxy(anvil.url), scratch: place };
  };
  const pair = new ReplicaPair(deployment, await start(scratch), await start(other));
  await makesBlocks(pair.first);
  return pair;
}

/** Has a node put each transaction into a block at once. */
export async function makesBlocks({ anvil }: Replica): Promise<void> {
  await anvilRequest(anvil.url, 'evm_setAutomine', [true]);
}

/** Mines empty blocks. */
export async function mine({ anvil }: Replica, blocks: number): Promise<void> {
  for (let index = 0; index < blocks; index += 1) await anvilRequest(anvil.url, 'evm_mine');
}

/** The newest block's number. */
export async function headOf({ anvil }: Replica): Promise<number> {
  return (await newestBlock(anvil.url)).number;
}

/** The blocks of a node after one, up to another, as they are. */
export async function blocksOf({ anvil }: Replica, after: number, to: number): Promise<AnvilBlock[]> {
  const blocks: AnvilBlock[] = [];
  for (let number = after; number <= to; number += 1)
    blocks.push(present(await anvilBlock(anvil.url, number), `block ${number}`));
  return blocks;
}

/** Makes the blocks of another node, the first of which it has, the very same ones. */
export async function receive({ anvil: { url } }: Replica, blocks: readonly AnvilBlock[]): Promise<void> {
  await anvilRequest(url, 'evm_setAutomine', [false]);
  // The clocks of two nodes on a busy machine are seconds apart, and a node refuses a block that is before its own.
  const first = blocks[1];
  if (first !== undefined) await anvilRequest(url, 'evm_setTime', [first.timestamp]);
  for (const { timestamp, baseFeePerGas, transactions } of blocks.slice(1)) {
    await anvilRequest(url, 'evm_setNextBlockTimestamp', [timestamp]);
    await anvilRequest(url, 'anvil_setNextBlockBaseFeePerGas', [baseFeePerGas]);
    for (const tx of transactions) {
      const raw = present(signedBytes(tx), `the bytes of ${tx.hash}`);
      await anvilRequest(url, 'eth_sendRawTransaction', [raw]);
    }
    await anvilRequest(url, 'evm_mine');
  }
  const { number, hash } = await newestBlock(url);
  if (hash !== blocks.at(-1)?.hash) throw new Error(`the replica has another block ${number}: ${hash}`);
}

/** Brings one node to where another is, or to one of its blocks. */
export async function replicate(from: Replica, to: Replica, upTo?: number): Promise<void> {
  const head = await headOf(to);
  const target = upTo ?? (await headOf(from));
  if (target > head) await receive(to, await blocksOf(from, head, target));
}
