import { mkdirSync } from 'node:fs';
import { encodeFunctionData } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { parametersAbi, sessionsAbi } from '../../src/adapters/chain/abi.ts';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { readDeploymentRecord } from '../../src/adapters/chain/deployment-record.ts';
import { defaultEconomy } from '../../src/adapters/chain/economy.ts';
import { openLedger } from '../../src/adapters/chain/ledger.ts';
import { openReputationChain } from '../../src/adapters/chain/reputation.ts';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { priceCommand } from '../../src/cli/price-command.ts';
import { claimCommand, registryCommand } from '../../src/cli/registry-command.ts';
import { sessionCommand } from '../../src/cli/session-command.ts';
import { present } from '../../src/core/assert.ts';
import { type Checkpoint, disputeBondWei, standingsTree } from '../../src/core/checkpoint.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import type { Hex } from '../../src/core/hash.ts';
import { type Address, type Role, type SessionId, sessionNumber } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import type { Chain, Deployment } from '../../src/ports/chain.ts';
import { digest, effect } from './chain.harness.ts';
import { rpc } from './chain.local-chain.ts';
import { inChainOf, runCommand } from './chain.cli.ts';
import { pouwError } from './pouw-error.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
const data = scratch.file('net');
let anvil: AnvilProcess;
let keys: KeyRing;
let deployment: Deployment;

const members = ['client', 'router', 'miner', 'oracle'] as const;
const addressOf = (role: Role): Address => member(keys, role, 0).address;

/** Runs a command in this process; answers with what it printed. */
function run(...args: string[]): Promise<string> {
  return runCommand([sessionCommand(), registryCommand(), claimCommand(), priceCommand(), chainCommand()], args);
}

type Answer = Record<string, unknown>;

async function json(...args: string[]): Promise<Answer> {
  return JSON.parse(await run(...args, '--data', data, '--json')) as Answer;
}

function inChain<T>(work: (chain: Chain) => Promise<T>): Promise<T> {
  const accounts = new Map(members.map((role) => [addressOf(role), keys.account(role, 0)] as const));
  return inChainOf({ rpcUrl: anvil.url, folder: scratch.file('net/chain'), accounts }, work);
}

/** A transaction in the name of a contract. */
async function as(from: Address, to: Address, call: Hex): Promise<void> {
  await rpc(anvil.url, 'anvil_setBalance', [from, '0xde0b6b3a7640000']);
  await rpc(anvil.url, 'anvil_impersonateAccount', [from]);
  await rpc(anvil.url, 'eth_sendTransaction', [{ from, to, data: call }]);
  await rpc(anvil.url, 'evm_mine');
}

async function passTime(seconds: number): Promise<void> {
  await rpc(anvil.url, 'evm_increaseTime', [seconds]);
  await rpc(anvil.url, 'evm_mine');
}

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  keys = openKeyFile(scratch.file(`net/${keyFileName}`), systemRandom);
  anvil = await startAnvil({ directory: scratch.file('net/chain') });
  const funded = members.map((role) => addressOf(role));
  await run('chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain'), '--fund', ...funded, '--json');
  ({ deployment } = present(await readDeploymentRecord(scratch.file('net/chain')), 'the deployment'));
  for (const role of ['router', 'miner', 'oracle']) await json('node', 'register', '--role', role);
}, 120_000);
afterEach(() => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});
afterAll(async () => {
  await anvil.stop();
  scratch.remove();
});

describe('pouw node activate', () => {
  test('has a node take new work again, and says where it does already', async () => {
    const node = addressOf('miner');
    await inChain((chain) => chain.send(node, { call: 'setActive', active: false }, effect('rest')));
    expect(await json('node', 'activate', '--role', 'miner')).toMatchObject({ node, active: true, before: false });
    expect(await json('node', 'activate', '--role', 'miner')).toMatchObject({ node, active: true, before: true });
    expect(await run('node', 'activate', '--role', 'miner', '--data', data)).toContain('It takes new work already.');
    expect(await inChain((chain) => chain.node(node))).toMatchObject({ active: true });
  });

  test('is instead of leaving, too', async () => {
    await json('node', 'leave', '--role', 'miner');
    expect(await json('node', 'activate', '--role', 'miner')).toMatchObject({ active: true, before: false });
    const record = await inChain((chain) => chain.node(addressOf('miner')));
    expect(record).toMatchObject({ active: true });
    expect(record?.unbondsAt).toBeUndefined();
  });

  test('needs a node that is registered, and a role', async () => {
    await expect(json('node', 'activate', '--role', 'validator')).rejects.toEqual(pouwError('node_not_registered'));
    await expect(json('node', 'activate')).rejects.toEqual(pouwError('role_missing'));
  });
});

describe('pouw price', () => {
  const shareOf = (answer: Answer, role: string): unknown =>
    (answer['shares'] as { readonly role: string; readonly eachWei: string }[]).find((one) => one.role === role);

  test('goes by the shares and the demand of the chain that is named, else by what a deployment begins with', async () => {
    const plain = JSON.parse(await run('price', '--json')) as Answer;
    expect(plain).toMatchObject({ from: 'defaults', demandPpm: 1_000_000, shareBps: { router: 700 } });
    expect(await json('price')).toMatchObject({ from: 'chain', demandPpm: 1_000_000, priceWei: plain['priceWei'] });
    const shares = { ...defaultEconomy(addressOf('client')).shares, minersBps: 7_000, routerBps: 1_700 };
    const args = [shares, digest('shares')] as const;
    await as(
      deployment.timelock,
      deployment.parameters,
      encodeFunctionData({ abi: parametersAbi, functionName: 'setShares', args }),
    );
    // What anybody gets by it: a contract in its place that answers twice the price to whatever it is asked.
    const pricing = (await rpc(anvil.url, 'eth_getCode', [deployment.pricing, 'latest'])) as Hex;
    await rpc(anvil.url, 'anvil_setCode', [deployment.pricing, '0x621e848060005260206000f3']);
    const here = ['--rpc', anvil.url, '--deployment', scratch.file('net/chain/deployment.json'), '--json'];
    const moved = JSON.parse(await run('price', ...here)) as Answer;
    await rpc(anvil.url, 'anvil_setCode', [deployment.pricing, pricing]);
    expect(moved).toMatchObject({ from: 'chain', demandPpm: 2_000_000, shareBps: { miner: 7_000, router: 1_700 } });
    expect(BigInt(moved['priceWei'] as string)).toBe(2n * BigInt(plain['priceWei'] as string));
    const routerWei = (BigInt(moved['priceWei'] as string) * 1_700n) / 10_000n;
    expect(shareOf(moved, 'router')).toMatchObject({ eachWei: String(routerWei) });
    expect(await run('price')).toContain('none: no chain was named');
  });

  test('of a session is by the terms that its newest update gave it', async () => {
    const created = await json('session', 'create', '--deposit', '3');
    const session = created['session'] as SessionId;
    const before = await json('price', session);
    expect(before).toMatchObject({ session, from: 'chain' });
    const ledger = await openLedger({ rpcUrl: anvil.url, deployment });
    const { terms } = present(await ledger.session(session), 'the session');
    const cheaper = { ...terms, outputTokenWei: BigInt(terms.outputTokenWei) / 2n, mode: 0, settlement: 0 };
    const struct = {
      ...cheaper,
      promptTokenWei: BigInt(terms.promptTokenWei),
      maxTaskPriceWei: BigInt(terms.maxTaskPriceWei),
      reserveFeeWei: BigInt(terms.reserveFeeWei),
    };
    const args = [sessionNumber(session), struct, digest('update')] as const;
    const call = encodeFunctionData({ abi: sessionsAbi, functionName: 'update', args });
    await as(addressOf('client'), deployment.sessions, call);
    const after = await json('price', session);
    expect(after['outputTokenWei']).toBe(String(cheaper.outputTokenWei));
    expect(BigInt(after['priceWei'] as string)).toBeLessThan(BigInt(before['priceWei'] as string));
    expect((await ledger.sessions(addressOf('client'))).map((one) => one.terms.outputTokenWei)).toEqual([
      String(cheaper.outputTokenWei),
    ]);
  });
});

describe('pouw claim --rewards', () => {
  /** Has the only oracle post a checkpoint in which a node has idle work, and puts its manifest into a folder. */
  async function checkpoint(epoch: number, folder: string): Promise<void> {
    const node = addressOf('miner');
    const idle = { node, level: 0, scoreBps: 5_000, honest: 0, outlier: 0, timedOut: 0, idleWork: 4 };
    const other = { ...idle, node: addressOf('router'), idleWork: 12 };
    const standings = [idle, other].toSorted((a, b) => (a.node < b.node ? -1 : 1));
    const content = await createHeliaContentStore({ directory: folder });
    const manifestDigest = cidToDigest(await content.put({ v: 1, epoch, standings }));
    await content.flush();
    await content.close();
    const accounts = new Map([[addressOf('oracle'), keys.account('oracle', 0)]]);
    const reputation = await openReputationChain({ rpcUrl: anvil.url, deployment, accounts });
    const { newest, revision } = await reputation.state();
    const wanted: Checkpoint = {
      epoch,
      skipped: epoch - (newest?.checkpoint.epoch ?? 0) - 1,
      fromPosition: (newest?.checkpoint.toPosition ?? 0) + 1,
      toPosition: (newest?.checkpoint.toPosition ?? 0) + 10,
      anchorEpoch: 1,
      idleWork: 16,
      nodes: 2,
      revision,
      root: standingsTree(standings).root,
      manifestDigest,
    };
    const signatures = [await reputation.sign(addressOf('oracle'), wanted)];
    const call = { call: 'postCheckpoint', checkpoint: wanted, signatures } as const;
    await inChain((chain) => chain.send(addressOf('oracle'), call, effect(`post-${epoch}-${revision}`)));
  }

  test('mints a node its share of each epoch that counts, once, by the proof in a folder’s checkpoints', async () => {
    const router = addressOf('router');
    const anchor = { call: 'anchor', root: digest('root'), manifestDigest: digest('manifest'), commits: 1 } as const;
    await inChain((chain) => chain.send(router, anchor, effect('anchor')));
    // Network sessions that have credited everybody with what the checkpoint says of the other: 12.
    const network = await rpc(anvil.url, 'eth_getCode', [deployment.network, 'latest']);
    await rpc(anvil.url, 'anvil_setCode', [deployment.network, '0x600c60005260206000f3']);
    expect(await json('claim', '--rewards', '--role', 'miner'), 'nothing counts yet').toMatchObject({ claimed: [] });
    await passTime(86_400);
    const elsewhere = scratch.file('oracle');
    await checkpoint(1, elsewhere);
    expect(await json('claim', '--rewards', '--role', 'miner'), 'it may be disputed').toMatchObject({ claimed: [] });
    await passTime(21_601);
    await expect(json('claim', '--rewards', '--role', 'miner')).rejects.toEqual(
      pouwError('checkpoint_content_missing', { details: expect.objectContaining({ epoch: 1 }) as unknown }),
    );
    const before = BigInt(await inChain((chain) => chain.corBalance(addressOf('miner'))));
    const claimed = await json('claim', '--rewards', '--role', 'miner', '--content', elsewhere);
    // A quarter of the idle work of the first epoch.
    const amountWei = 11_250n * 10n ** 18n;
    expect(claimed).toMatchObject({ claimed: [{ epoch: 1, amountWei: String(amountWei) }] });
    expect(BigInt(claimed['balanceWei'] as string) - before).toBe(amountWei);
    expect(await json('claim', '--rewards', '--role', 'miner', '--content', elsewhere)).toMatchObject({ claimed: [] });
    await passTime(86_400);
    await checkpoint(2, data);
    await passTime(21_601);
    const next = await run('claim', '--rewards', '--role', 'miner', '--data', data);
    expect(next).toContain('were minted.');
    expect(next).toContain('epoch 2');
    await expect(json('claim', '--rewards')).rejects.toEqual(pouwError('role_missing'));
    await expect(json('claim', '--rewards', '--role', 'validator')).rejects.toEqual(pouwError('node_not_registered'));
    await rpc(anvil.url, 'anvil_setCode', [deployment.network, network]);
  }, 60_000);

  test('is beside what is said of checkpoints, and the bonds of disputes, which whoever is owed them claims', async () => {
    const [router, oracle] = [addressOf('router'), addressOf('oracle')];
    const shown = async () => (await json('chain', 'show'))['checkpoint'];
    const line = async () => /reputation +(.+)$/m.exec(await run('chain', 'show', '--data', data))?.[1];
    expect(await shown()).toMatchObject({ epoch: 2, state: 'final', disputer: null });
    expect(await line()).toMatch(/^the checkpoint of epoch 2 counts since [-\d]+ [:.\d]+ UTC$/);
    await passTime(86_400);
    await checkpoint(3, data);
    expect(await shown()).toMatchObject({ epoch: 3, revision: 0, state: 'open', disputer: null });
    expect(await line()).toMatch(/^the checkpoint of epoch 3 may be disputed until .+ UTC$/);
    const bondWei = disputeBondWei;
    const dispute = async (name: string): Promise<void> =>
      inChain(async (chain) => {
        const allow = { call: 'approve', spender: 'reputation', amountWei: bondWei } as const;
        await chain.send(router, allow, effect(`allow-${name}`));
        const call = { call: 'disputeCheckpoint', epoch: 3, claimDigest: digest('claim') } as const;
        await chain.send(router, call, effect(`dispute-${name}`));
      });
    const rule = async (stands: boolean): Promise<void> => {
      const accounts = new Map([[oracle, keys.account('oracle', 0)]]);
      const reputation = await openReputationChain({ rpcUrl: anvil.url, deployment, accounts });
      const { root, revision } = present((await reputation.state()).newest, 'a checkpoint').checkpoint;
      const signature = await reputation.signRuling(oracle, { epoch: 3, root, revision, stands });
      const call = { call: 'ruleCheckpoint', epoch: 3, stands, signatures: [signature] } as const;
      await inChain((chain) => chain.send(oracle, call, effect(`rule-${stands}`)));
    };

    await dispute('first');
    expect(await shown()).toMatchObject({ epoch: 3, state: 'disputed', disputer: router });
    expect(await line()).toContain(`the checkpoint of epoch 3 is disputed by ${router}, to be ruled on until `);
    await rule(false);
    expect(await shown()).toMatchObject({ epoch: 2, state: 'final' });
    const claimed = await json('claim', '--role', 'router');
    expect(claimed).toMatchObject({ claimed: [{ what: 'disputes', amountWei: bondWei }] });
    expect(await json('claim', '--role', 'router')).toMatchObject({ claimed: [] });

    await checkpoint(3, data);
    await dispute('second');
    await rule(true);
    expect(await line()).toMatch(
      new RegExp(`^the checkpoint of epoch 3 counts since .+, disputed in vain by ${router}$`),
    );
    expect(await json('claim', '--role', 'router'), 'the bond is lost').toMatchObject({ claimed: [] });
  }, 60_000);
});
