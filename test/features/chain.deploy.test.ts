import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { type ChainStore, openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { parametersAbi, registryAbi, timelockAbi } from '../../src/adapters/chain/abi.ts';
import { connect } from '../../src/adapters/chain/connect.ts';
import { deployContracts, type DeployOptions, type DeployResult } from '../../src/adapters/chain/deploy.ts';
import { defaultEconomy } from '../../src/adapters/chain/economy.ts';
import { fundCor, fundGas } from '../../src/adapters/chain/fund.ts';
import { createViemChain } from '../../src/adapters/chain/viem-chain.ts';
import { type Address, toAddress } from '../../src/core/ids.ts';
import type { Deployment } from '../../src/ports/chain.ts';
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

function deploy(rpcUrl = anvil.url, governance: Partial<DeployOptions> = {}): Promise<DeployResult> {
  const deployerKey = keyOf(cast.deployer);
  return deployContracts({ rpcUrl, store, deployerKey, directory, retryMs: 200, ...governance });
}

/** What a deployment says of who governs it, and by which numbers. */
async function governanceOf({ timelock, parameters, registry, queue }: Deployment) {
  const { client } = await connect({ url: anvil.url, retryMs: 200 });
  const of = { address: parameters, abi: parametersAbi } as const;
  const clock = { address: timelock, abi: timelockAbi } as const;
  const proposerRole = await client.readContract({ ...clock, functionName: 'PROPOSER_ROLE' });
  return {
    owner: toAddress(await client.readContract({ ...of, functionName: 'owner' })),
    guardian: toAddress(await client.readContract({ ...of, functionName: 'guardian' })),
    registrar: toAddress(await client.readContract({ ...of, functionName: 'registrar' })),
    treasury: toAddress(await client.readContract({ ...of, functionName: 'treasury' })),
    stakes: await client.readContract({ ...of, functionName: 'stakes' }),
    delayS: await client.readContract({ ...clock, functionName: 'getMinDelay' }),
    mayPropose: (account: Address) =>
      client.readContract({ ...clock, functionName: 'hasRole', args: [proposerRole, account] }),
    queuePowers: await client.readContract({
      address: registry,
      abi: registryAbi,
      functionName: 'powersOf',
      args: [queue],
    }),
  };
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

test('a timelock owns the parameters, and its delay is longer than any task lives unless told otherwise', async () => {
  const { deployment } = await deploy();
  const governance = await governanceOf(deployment);
  const { deployer, miners } = cast;
  const by = { guardian: deployer, registrar: deployer, treasury: deployer };
  const { stakes } = defaultEconomy(deployer);
  expect(governance).toMatchObject({ owner: deployment.timelock, delayS: 345_600n, stakes, queuePowers: 3, ...by });
  expect(await governance.mayPropose(deployer)).toBe(true);
  expect(await governance.mayPropose(miners[0])).toBe(false);
});

test('others may govern, by other numbers', async () => {
  const [governor, treasury] = cast.miners;
  const stakes = { ...defaultEconomy(treasury).stakes, minerWei: 10n ** 18n };
  const { deployment } = await deploy(anvil.url, { governor, treasury, timelockDelayS: 0, economy: { stakes } });
  const governance = await governanceOf(deployment);
  const by = { guardian: governor, registrar: governor, treasury };
  expect(governance).toMatchObject({ owner: deployment.timelock, delayS: 0n, stakes, ...by });
  expect(await governance.mayPropose(governor)).toBe(true);
  expect(await governance.mayPropose(cast.deployer)).toBe(false);
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
  // Seventeen contracts, three libraries, four bindings of modules, one of the minter and one of the judges, each once.
  expect(nonce).toBe(28);
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
