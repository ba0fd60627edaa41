import { cpSync } from 'node:fs';
import { afterAll } from 'vitest';
import { addressOfKey } from '../../src/adapters/chain/accounts.ts';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { type ChainStore, openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { deployContracts } from '../../src/adapters/chain/deploy.ts';
import { fundCor, fundGas } from '../../src/adapters/chain/fund.ts';
import { createViemChain, type ViemChainOptions } from '../../src/adapters/chain/viem-chain.ts';
import { type Hex, keccak256 } from '../../src/core/hash.ts';
import type { Address, Role } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { Chain, Deployment } from '../../src/ports/chain.ts';
import { type ChainCast, type ChainHarness, cor, digest, effect } from './chain.harness.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

const keys = new Map<Address, Hex>();

function account(name: string): Address {
  const key = keccak256(`the private key of ${name}`);
  const address = addressOfKey(key);
  keys.set(address, key);
  return address;
}

/** Who is on a prepared chain. */
export const cast: ChainCast = {
  deployer: account('deployer'),
  client: account('client'),
  router: account('router'),
  miners: [account('miner 1'), account('miner 2'), account('miner 3')],
  spareMiner: account('miner 4'),
  validators: [account('validator 1'), account('validator 2')],
  oracle: account('oracle'),
};

/** The private keys of the cast. */
export const castKeys: ReadonlyMap<Address, Hex> = keys;

/** The private key of one of the cast. */
export function keyOf(address: Address): Hex {
  return keys.get(address) ?? '0x';
}

const stakes: readonly (readonly [Address, Role, Wei])[] = [
  [cast.router, 'router', cor(500)],
  ...[...cast.miners, cast.spareMiner].map((miner) => [miner, 'miner', cor(100)] as const),
  ...cast.validators.map((validator) => [validator, 'validator', cor(200)] as const),
  [cast.oracle, 'oracle', cor(200)],
];

/** Deploys, funds and registers the cast. */
async function prepare(directory: string): Promise<Deployment> {
  const anvil = await startAnvil({ directory });
  const store = openChainStore(storeFile(directory));
  const rpcUrl = anvil.url;
  await fundGas({ rpcUrl, accounts: [...keys.keys()], minimumWei: 10n ** 21n });
  const { deployment } = await deployContracts({ rpcUrl, store, deployerKey: keyOf(cast.deployer), directory });
  const chain = await createViemChain({ rpcUrl, deployment, accounts: keys, store });
  const everybody = [...keys.keys()].filter((address) => address !== cast.deployer);
  await fundCor(chain, cast.deployer, new Map(everybody.map((address) => [address, cor(10_000)])));
  for (const [node, role, stakeWei] of stakes) {
    await chain.send(node, { call: 'approve', spender: 'registry', amountWei: stakeWei }, effect(`approve-${node}`));
    const key = digest(`key-${node}`);
    await chain.send(
      node,
      { call: 'register', roles: [role], key, stakeWei, metadataUri: '', models: [] },
      effect(`register-${node}`),
    );
  }
  const spending = { call: 'approve', spender: 'sessions', amountWei: cor(10_000) } as const;
  await chain.send(cast.client, spending, effect('approve-client'));
  await chain.close();
  store.close();
  await anvil.stop();
  return deployment;
}

/** The file of the store in a chain folder. */
export function storeFile(directory: string): string {
  return `${directory}/tx.sqlite`;
}

let template: { readonly scratch: ScratchDirectory; readonly deployment: Promise<Deployment> } | undefined;

afterAll(() => template?.scratch.remove());

/** A folder with a prepared chain: made once per test file, copied for each test. */
export async function preparedFolder(): Promise<{
  readonly scratch: ScratchDirectory;
  readonly deployment: Deployment;
}> {
  if (template === undefined) {
    const made = scratchDirectory();
    template = { scratch: made, deployment: prepare(made.path) };
  }
  const deployment = await template.deployment;
  const scratch = scratchDirectory();
  cpSync(template.scratch.path, scratch.path, { recursive: true });
  return { scratch, deployment };
}

/** A prepared chain on an anvil of its own. */
export interface LocalChain extends ChainHarness {
  readonly directory: string;
  readonly deployment: Deployment;
  readonly anvil: AnvilProcess;
  readonly store: ChainStore;
  /** Opens another chain on the same node and store. */
  open(options?: Partial<ViemChainOptions>): Promise<Chain>;
}

/** One request to a node that no port has. */
export async function rpc(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

/** Starts a prepared chain. */
export async function startLocalChain(options: Partial<ViemChainOptions> = {}): Promise<LocalChain> {
  const { scratch, deployment } = await preparedFolder();
  const directory = scratch.path;
  let anvil = await startAnvil({ directory });
  let store = openChainStore(storeFile(directory));
  const opened = new Set<Chain>();
  const open = async (change: Partial<ViemChainOptions> = {}): Promise<Chain> => {
    const base = { rpcUrl: anvil.url, deployment, accounts: keys, store, mineOnDemand: true, onError: () => undefined };
    const chain = await createViemChain({ ...base, ...options, ...change });
    opened.add(chain);
    return chain;
  };
  const closeAll = async (): Promise<void> => {
    for (const chain of opened) await chain.close();
    opened.clear();
    store.close();
  };
  let chain = await open();
  return {
    cast,
    directory,
    deployment,
    patienceMs: 10_000,
    get chain() {
      return chain;
    },
    get anvil() {
      return anvil;
    },
    get store() {
      return store;
    },
    open,
    reopen: async () => {
      await closeAll();
      store = openChainStore(storeFile(directory));
      chain = await open();
      return chain;
    },
    passTime: async (seconds) => {
      await rpc(anvil.url, 'evm_increaseTime', [seconds]);
      await rpc(anvil.url, 'evm_mine');
    },
    reorg: async (blocks) => void (await rpc(anvil.url, 'anvil_reorg', [blocks, []])),
    stopNode: () => anvil.stop(),
    startNode: async () => {
      anvil = await startAnvil({ directory, port: anvil.port });
    },
    close: async () => {
      await closeAll();
      await anvil.stop().catch(() => undefined);
      scratch.remove();
    },
  };
}
