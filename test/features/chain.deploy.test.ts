import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { type ChainStore, openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { deployContracts, type DeployResult } from '../../src/adapters/chain/deploy.ts';
import { fundCor, fundGas } from '../../src/adapters/chain/fund.ts';
import { createViemChain } from '../../src/adapters/chain/viem-chain.ts';
import { cor } from './chain.harness.ts';
import { cast, castKeys, keyOf, rpc, storeFile } from './chain.local-chain.ts';
import { pouwError, textWith } from './pouw-error.ts';
import { startRpcProxy } from './rpc-proxy.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

let scratch: ScratchDirectory;
let directory: string;
let anvil: AnvilProcess;
let store: ChainStore;

beforeEach(async () => {
  scratch = scratchDirectory();
  directory = scratch.path;
  anvil = await startAnvil({ directory });
  store = openChainStore(storeFile(directory));
  await fundGas({ rpcUrl: anvil.url, accounts: [cast.deployer] });
});
afterEach(async () => {
  store.close();
  await anvil.stop();
  scratch.remove();
});

function deploy(rpcUrl = anvil.url): Promise<DeployResult> {
  return deployContracts({ rpcUrl, store, deployerKey: keyOf(cast.deployer), directory, retryMs: 200 });
}

test('deploys once and finds the deployment again', async () => {
  const first = await deploy();
  expect(first).toMatchObject({ reused: false, deployment: { chainId: 31_337 } });
  expect(await deploy()).toEqual({ ...first, reused: true });
  const { deployment } = first;
  const chain = await createViemChain({ rpcUrl: anvil.url, deployment, accounts: castKeys, store });
  expect(await chain.corBalance(cast.deployer)).toBe(cor(900_000_000));
  await chain.close();
});

test('goes on after a crash in the middle, to the same contracts', async () => {
  const proxy = await startRpcProxy(anvil.url);
  let sent = 0;
  proxy.decide = (method) => {
    if (method.startsWith('eth_sendRawTransaction')) sent += 1;
    return sent > 3 ? 'lose-request' : 'pass';
  };
  await expect(deploy(proxy.url)).rejects.toEqual(pouwError('chain_unreachable'));
  await proxy.close();
  const { deployment } = await deploy();
  const nonce = Number(await rpc(anvil.url, 'eth_getTransactionCount', [cast.deployer, 'latest']));
  // Seven contracts and two bindings, each once.
  expect(nonce).toBe(9);
  rmSync(`${directory}/deployment.json`);
  expect(await deploy()).toEqual({ deployment, reused: false });
});

test('deploys anew on another chain', async () => {
  const first = await deploy();
  await anvil.stop();
  rmSync(`${directory}/state.json`);
  anvil = await startAnvil({ directory });
  await fundGas({ rpcUrl: anvil.url, accounts: [cast.deployer] });
  const second = await deploy();
  expect(second.reused).toBe(false);
  expect(second.deployment.cor).toBe(first.deployment.cor);
});

test('says that the record is damaged', async () => {
  const half = { chain: `0x${'12'.repeat(32)}`, deployment: { chainId: 31_337, fromBlock: 1 } };
  writeFileSync(`${directory}/deployment.json`, JSON.stringify(half));
  await expect(deploy()).rejects.toEqual(pouwError('deployment_unreadable', { why: textWith('cor') }));
});

test('gives each account its $COR once', async () => {
  const { deployment } = await deploy();
  const chain = await createViemChain({ rpcUrl: anvil.url, deployment, accounts: castKeys, store });
  const shares = new Map([[cast.client, cor(5)]]);
  await fundCor(chain, cast.deployer, shares);
  await fundCor(chain, cast.deployer, shares);
  expect(await chain.corBalance(cast.client)).toBe(cor(5));
  await chain.close();
});

test('gives gas money to who has too little, by transfer on a chain that is not anvil', async () => {
  const accounts = [cast.deployer, cast.client];
  expect(await fundGas({ rpcUrl: anvil.url, accounts, minimumWei: 10n ** 20n })).toEqual(accounts);
  const proxy = await startRpcProxy(anvil.url);
  proxy.decide = (method) => (method === 'web3_clientVersion' ? { answer: { result: 'Geth/v1' } } : 'pass');
  const rpcUrl = proxy.url;
  expect(await fundGas({ rpcUrl, accounts: [cast.router] })).toEqual([]);
  const funder = { key: keyOf(cast.deployer), store };
  expect(await fundGas({ rpcUrl, accounts: [cast.client, cast.router], funder })).toEqual([cast.router]);
  expect(BigInt(String(await rpc(anvil.url, 'eth_getBalance', [cast.router, 'latest'])))).toBe(2n * 10n ** 18n);
  await proxy.close();
});
