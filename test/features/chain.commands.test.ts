import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { readDeploymentRecord } from '../../src/adapters/chain/deployment-record.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { priceCommand } from '../../src/cli/price-command.ts';
import { claimCommand, registryCommand } from '../../src/cli/registry-command.ts';
import { sessionCommand } from '../../src/cli/session-command.ts';
import { present } from '../../src/core/assert.ts';
import type { Address, Role, SessionId } from '../../src/core/ids.ts';
import { taskId } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import { wei } from '../../src/core/wei.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { spawnPouw } from '../kit/pouw-process.ts';
import { commitment, cor, digest, effect } from './chain.harness.ts';
import { rpc } from './chain.local-chain.ts';
import { eventually } from './feature.ts';
import { inChainOf, runCommand } from './chain.cli.ts';
import { pouwError } from './pouw-error.ts';
import { startRpcProxy } from './rpc-proxy.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
/** The data folder of a network whose chain runs: what the commands find by themselves. */
const data = scratch.file('net');
let anvil: AnvilProcess;
let keys: KeyRing;
let printed = '';

const addressOf = (role: Role, index = 0): Address => member(keys, role, index).address;

/** Runs a command in this process; answers with what it printed. */
function run(...args: string[]): Promise<string> {
  return runCommand(
    [sessionCommand(), registryCommand(), claimCommand(), priceCommand(), chainCommand()],
    args,
    (out) => (printed += out),
  );
}

type Answer = Record<string, unknown>;

async function json(...args: string[]): Promise<Answer> {
  return JSON.parse(await run(...args, '--data', data, '--json')) as Answer;
}

function corOf(account: Address): Promise<bigint> {
  return inChain(async (chain) => BigInt(await chain.corBalance(account)));
}

/** Does something with the chain as the network's own processes would. */
function inChain<T>(work: (chain: Chain) => Promise<T>): Promise<T> {
  const roles = ['client', 'router', 'miner', 'validator', 'oracle'] as const;
  const accounts = new Map(roles.map((role) => [addressOf(role), keys.account(role, 0)] as const));
  return inChainOf({ rpcUrl: anvil.url, folder: scratch.file('net/chain'), accounts }, work);
}

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  keys = openKeyFile(scratch.file(`net/${keyFileName}`), systemRandom);
  anvil = await startAnvil({ directory: scratch.file('net/chain') });
  const funded = (['client', 'router', 'miner', 'validator', 'oracle'] as const).map((role) => addressOf(role));
  await run('chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain'), '--fund', ...funded, '--json');
});
afterEach(() => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});
afterAll(async () => {
  await anvil.stop();
  scratch.remove();
});

describe('pouw chain', () => {
  test('deploys once, by an account of the folder where an anvil makes the blocks', async () => {
    const again = ['chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain')];
    const second = JSON.parse(await run(...again, '--json')) as Answer;
    expect(second).toMatchObject({ reused: true, chainId: 31_337, file: scratch.file('net/chain/deployment.json') });
    expect(await run(...again)).toContain('The contracts were deployed before.');
    expect(BigInt(await inChain((chain) => chain.corBalance(addressOf('client'))))).toBe(BigInt(cor(1_000_000)));
  });

  test('deploys on another chain only by the key that pays for it', async () => {
    const proxy = await startRpcProxy(anvil.url);
    proxy.decide = (method) => (method === 'web3_clientVersion' ? { answer: { result: 'Geth/v1' } } : 'pass');
    const refused = run('chain', 'deploy', '--rpc', proxy.url, '--data', scratch.file('elsewhere'));
    await expect(refused).rejects.toEqual(pouwError('deployer_key_missing', { class: 'invalid' }));
    await proxy.close();
  });

  test('shows addresses and totals, and that the money is conserved', async () => {
    const shown = await json('chain', 'show');
    const { deployment } = present(await readDeploymentRecord(scratch.file('net/chain')), 'the deployment');
    expect(shown).toMatchObject({ deployment, conserved: true, nodes: {}, sessions: { opened: 0, open: 0 } });
    expect(shown).toMatchObject({ checkpoint: null });
    expect(process.exitCode).toBeUndefined();
    const text = await run('chain', 'show', '--data', data);
    expect(text).toContain('Every $COR is accounted for.');
    expect(text).toContain(deployment.queue);
    expect(text).toMatch(/^ {2}reputation +no checkpoint so far$/m);
  });

  test('is found by --rpc and --deployment too, and by the environment', async () => {
    const file = scratch.file('net/chain/deployment.json');
    const named = await run('chain', 'show', '--rpc', anvil.url, '--deployment', file, '--json');
    vi.stubEnv('POUW_RPC', `${anvil.url},http://127.0.0.1:1`);
    vi.stubEnv('POUW_DEPLOYMENT', file);
    const { deployment } = JSON.parse(named) as Answer;
    expect(JSON.parse(await run('chain', 'show', '--json'))).toMatchObject({ deployment });
  });

  test('says where there is no deployment, and where no chain runs', async () => {
    const nowhere = ['chain', 'show', '--data', scratch.file('nowhere')];
    await expect(run(...nowhere)).rejects.toEqual(pouwError('deployment_missing', { class: 'not-found' }));
    const file = scratch.file('net/chain/deployment.json');
    mkdirSync(scratch.file('copy'), { recursive: true });
    const { cpSync } = await import('node:fs');
    cpSync(file, scratch.file('copy/deployment.json'));
    await expect(run('chain', 'show', '--data', scratch.file('copy'))).rejects.toEqual(
      pouwError('chain_not_running', { class: 'unavailable' }),
    );
  });
});

describe('pouw node', () => {
  test('registers a node once, in its role, with its key', async () => {
    for (const role of ['router', 'miner'] as const) {
      const first = await json('node', 'register', '--role', role);
      expect(first).toMatchObject({ node: addressOf(role), roles: [role], active: true, before: false });
      expect(first['key']).toBe(keys.signer(role, 0).publicKey);
    }
    const balance = await corOf(addressOf('miner'));
    expect(await json('node', 'register', '--role', 'miner')).toMatchObject({ before: true, stakeWei: cor(1_000) });
    expect(await corOf(addressOf('miner'))).toBe(balance);
    vi.stubEnv('POUW_ACCOUNT_KEY', keys.account('miner', 0));
    const wrong = ['node', 'register', '--role', 'oracle', '--data', data];
    await expect(run(...wrong)).rejects.toEqual(pouwError('signing_key_missing', { class: 'invalid' }));
    await expect(run(...wrong, '--signing-key', digest('a key'))).rejects.toEqual(pouwError('wrong_role'));
  });

  test('says what is missing: role, stake, registration, key file', async () => {
    await expect(run('node', 'register', '--data', data)).rejects.toEqual(pouwError('role_missing'));
    await expect(run('node', 'stake', '5', '--data', data)).rejects.toEqual(pouwError('role_missing'));
    const poor = run('node', 'register', '--role', 'miner', '--index', '7', '--data', data);
    await expect(poor).rejects.toEqual(pouwError('stake_missing'));
    const unknown = run('node', 'show', addressOf('oracle'), '--data', data);
    await expect(unknown).rejects.toEqual(pouwError('node_not_registered', { class: 'not-found' }));
    const file = scratch.file('no-keys.json');
    await expect(run('node', 'leave', '--role', 'miner', '--key', file, '--data', data)).rejects.toEqual(
      pouwError('key_file_missing', { class: 'not-found' }),
    );
    vi.stubEnv('POUW_ACCOUNT_KEY', '0x1234');
    await expect(run('node', 'leave', '--data', data)).rejects.toEqual(pouwError('invalid_key'));
    vi.stubEnv('POUW_ACCOUNT_KEY', keys.account('miner', 0));
    await expect(run('claim', '--role', 'miner', '--data', data)).rejects.toEqual(pouwError('account_ambiguous'));
  });

  test('stakes more, once for each request', async () => {
    const before = await corOf(addressOf('miner'));
    const first = await json('node', 'stake', '50', '--role', 'miner');
    expect(first).toMatchObject({ amountWei: cor(50), stakeWei: cor(1_050), before: false });
    expect(await json('node', 'stake', '50', '--role', 'miner')).toEqual({ ...first, before: true });
    await json('node', 'stake', '50', '--role', 'miner', '--request-id', 'again');
    const more = run('node', 'stake', '60', '--role', 'miner', '--request-id', 'again', '--data', data);
    await expect(more).rejects.toEqual(pouwError('request_id_reused'));
    expect(before - (await corOf(addressOf('miner')))).toBe(BigInt(cor(100)));
    expect(await run('node', 'stake', '50', '--role', 'miner', '--data', data)).toContain('nothing was done again');
  });

  test('shows one node and all of them', async () => {
    expect(await json('node', 'show', '--role', 'miner')).toMatchObject({ stakeWei: cor(1_100), earningsWei: '0' });
    const table = await run('node', 'show', '--data', data);
    expect(table).toContain(addressOf('router'));
    expect(table).toContain(addressOf('miner'));
  });
});

describe('pouw session', () => {
  const create = ['session', 'create', '--redundancy', '1', '--validators', '0', '--level', '0'];

  test('opens a session once, and another one under another name', async () => {
    const before = await corOf(addressOf('client'));
    const first = await json(...create);
    expect(first).toMatchObject({ client: addressOf('client'), depositWei: cor(100), before: false });
    expect(await json(...create)).toEqual({ ...first, before: true });
    expect(before - (await corOf(addressOf('client')))).toBe(BigInt(cor(100)));
    const second = await json(...create, '--request-id', 'second');
    expect(second['session']).not.toBe(first['session']);
    for (const other of [
      ['--deposit', '7'],
      ['--model', 'pebble-mini'],
      ['--max-price', '4'],
    ]) {
      const reused = run(...create, ...other, '--request-id', 'second', '--data', data);
      await expect(reused, other[0]).rejects.toEqual(pouwError('request_id_reused'));
    }
    const { sessions } = await json('session', 'list');
    expect((sessions as Answer[]).map(({ session }) => session)).toEqual([first['session'], second['session']]);
    expect(await json('session', 'list', '--client', addressOf('miner'))).toEqual({ sessions: [] });
    const text = await run('session', 'show', String(first['session']), '--data', data);
    expect(text).toContain('The session is open.');
    expect(text).toContain('at most 5 $COR');
  });

  test('takes a deposit of anybody by a permit, once for each request', async () => {
    const { session } = await json(...create);
    const deposit = ['session', 'deposit', String(session), '2.5', '--role', 'oracle'];
    const first = await json(...deposit);
    expect(first).toMatchObject({ from: addressOf('oracle'), amountWei: wei(25n * 10n ** 17n), before: false });
    expect(await json(...deposit)).toMatchObject({
      txHash: first['txHash'],
      before: true,
      balanceWei: first['balanceWei'],
    });
    const second = await json(...deposit, '--request-id', '2');
    const reused = run(
      'session',
      'deposit',
      String(session),
      '3',
      '--role',
      'oracle',
      '--request-id',
      '2',
      '--data',
      data,
    );
    await expect(reused).rejects.toEqual(pouwError('request_id_reused'));
    expect(BigInt(String(second['balanceWei'])) - BigInt(String(first['balanceWei']))).toBe(25n * 10n ** 17n);
    const { deployment } = present(await readDeploymentRecord(scratch.file('net/chain')), 'the deployment');
    // One transaction each: the permission came with it.
    const nonce = await rpc(anvil.url, 'eth_getTransactionCount', [addressOf('oracle'), 'latest']);
    expect(Number(nonce)).toBe(2);
    expect(deployment.chainId).toBe(31_337);
  });

  test('pays once where the command is killed while its transaction is on the way', async () => {
    const { session } = await json(...create);
    const before = BigInt(String((await json('session', 'show', String(session)))['balanceWei']));
    const proxy = await startRpcProxy(anvil.url);
    let isSent = false;
    proxy.decide = (method) => {
      if (!method.startsWith('eth_sendRawTransaction')) return 'pass';
      isSent = true;
      return 'lose-answer';
    };
    const deposit = ['session', 'deposit', String(session), '7', '--data', data, '--json'];
    const args = [...deposit, '--rpc', proxy.url];
    const command = spawnPouw(args);
    await eventually('the transaction', () => isSent, 30_000);
    command.kill('SIGKILL');
    expect(await command.ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    await proxy.close();
    const again = JSON.parse(await run(...deposit)) as Answer;
    const { balanceWei } = await json('session', 'show', String(session));
    expect(BigInt(String(balanceWei)) - before).toBe(BigInt(cor(7)));
    expect(again).toMatchObject({ amountWei: cor(7) });
  });

  test('is closed, with what is left for its owner, and closed again without harm', async () => {
    const { session } = await json(...create, '--request-id', 'to-close');
    const id = String(session);
    const foreign = run('session', 'close', id, '--role', 'miner', '--data', data);
    await expect(foreign).rejects.toEqual(pouwError('chain_reverted'));
    const before = await corOf(addressOf('client'));
    expect(await json('session', 'close', id)).toMatchObject({ state: 'closed', refundedWei: cor(100), before: false });
    expect((await corOf(addressOf('client'))) - before).toBe(BigInt(cor(100)));
    expect(await json('session', 'close', id)).toMatchObject({ state: 'closed', before: true });
    const late = run('session', 'deposit', id, '1', '--data', data);
    await expect(late).rejects.toEqual(pouwError('session_not_open', { class: 'conflict' }));
    expect(await run(...create, '--request-id', 'to-close', '--data', data)).toMatch(
      /nothing was done again[^]*closed/,
    );
  });

  test('says what does not exist and what cannot be paid', async () => {
    await expect(run('session', 'show', '31337-00000000-1', '--data', data)).rejects.toEqual(
      pouwError('session_not_found', { class: 'not-found' }),
    );
    const rich = run('session', 'create', '--deposit', '2000000', '--data', data);
    await expect(rich).rejects.toEqual(pouwError('insufficient_cor', { class: 'payment' }));
    for (const amount of ['0', '-1', '1.0000000000000000001', 'all'])
      await expect(run('session', 'deposit', '31337-00000000-1', '--data', data, '--', amount)).rejects.toMatchObject({
        code: 'commander.invalidArgument',
      });
  });
});

describe('pouw price and pouw claim', () => {
  /** Runs a task of one miner at level 0, whose price is what was set aside: 2 $COR. */
  async function earn(chain: Chain, session: SessionId): Promise<void> {
    const [router, miner] = [addressOf('router'), addressOf('miner')];
    const requestId = digest('a request');
    const task = taskId(session, requestId);
    const submit = { call: 'submit', session, requestId, promptDigest: digest('prompt') } as const;
    const { block } = await chain.send(router, { ...submit, maxTokens: 8, maxPriceWei: cor(2) }, effect('submit'));
    const beacon = await chain.block((await chain.waitForBlock(block + 1)).number);
    const selection = { beaconBlock: beacon.number, beacon: beacon.hash, selectionDigest: digest('selection') };
    const nodes = { scheme: 'drawn', miners: [{ node: miner, weight: 1_000_000 }], validators: [], lane: 0 } as const;
    await chain.send(router, { call: 'assign', task, ...nodes, ...selection }, effect('assign'));
    const { hash, ...reveal } = commitment(chain, { session, task }, miner);
    await chain.send(miner, { call: 'ack', task }, effect('ack'));
    await chain.send(miner, { call: 'precommit', task, hash }, effect('precommit'));
    await chain.send(miner, { call: 'reveal', task, ...reveal }, effect('reveal'));
    await chain.send(router, { call: 'settle', task, manifestDigest: digest('manifest') }, effect('settle'));
  }

  test('say what a task costs and who gets it', async () => {
    const price = await json('price', '--prompt-tokens', '20', '--output-tokens', '200');
    // 20 at 0.0001 and 200 at 0.0005, for three miners and two validators.
    expect(price).toMatchObject({ session: null, priceWei: wei(102n * 10n ** 15n) });
    expect(await run('price', '--data', data)).toContain('A task of 100 + 100 tokens costs 0.06 $COR.');
    const { session } = await json('session', 'create', '--max-price', '0.01', '--output-price', '0.01');
    const capped = await run('price', String(session), '--output-tokens', '50', '--data', data);
    expect(capped).toContain('costs 0.01 $COR, the most it may cost');
    expect(capped).toContain('3 × 0.002667 $COR');
  });

  test('keep a session for the miners that are named', async () => {
    const miners = [addressOf('miner'), addressOf('validator')];
    const named = miners.flatMap((miner) => ['--miner', miner]);
    await expect(run('session', 'create', ...named, '--data', data)).rejects.toEqual(
      pouwError('dedicated_miners_too_few', { class: 'invalid' }),
    );
    const twice = ['--miner', addressOf('miner'), ...named];
    await expect(run('session', 'create', ...twice, '--data', data)).rejects.toEqual(
      pouwError('dedicated_miners_too_few', { class: 'invalid' }),
    );
    const { session } = await json('session', 'create', '--redundancy', '2', ...named);
    const shown = (await json('session', 'show', String(session)))['terms'];
    expect(shown).toMatchObject({ mode: 'dedicated', redundancy: 2, dedicatedMiners: miners });
    expect(await run('session', 'show', String(session), '--data', data)).toContain(`2 a task, ${miners.join(' ')}`);
    expect(await run('session', 'create', '--request-id', 'anybody', '--data', data)).toContain('session');
  });

  test('take what was earned, all of it and once', async () => {
    const { session } = await json(
      'session',
      'create',
      '--redundancy',
      '1',
      '--validators',
      '0',
      '--level',
      '0',
      '--request-id',
      'paid',
    );
    await inChain((chain) => earn(chain, session as SessionId));
    const shares = (await json('price', String(session)))['shares'] as { role: string; eachWei: string }[];
    expect(shares.map(({ role }) => role)).toEqual(['miner', 'router', 'treasury']);
    const before = await corOf(addressOf('miner'));
    const claimed = await json('node', 'claim', '--role', 'miner');
    expect(claimed['claimed']).toMatchObject([{ what: 'earnings', amountWei: wei(16n * 10n ** 17n) }]);
    expect((await corOf(addressOf('miner'))) - before).toBe(16n * 10n ** 17n);
    const nothing = await run('node', 'claim', '--role', 'miner', '--data', data);
    expect(nothing).toContain('There is nothing to take.');
    expect(nothing).toContain('1.6 $COR in block');
    expect(await json('claim', '--role', 'router')).toMatchObject({ claimed: [{ amountWei: wei(14n * 10n ** 16n) }] });
    const treasury = ['claim', '--key', scratch.file('net/chain/keys.json')];
    expect(await json(...treasury)).toMatchObject({ claimed: [{ amountWei: wei(26n * 10n ** 16n) }] });
    expect(await json('chain', 'show')).toMatchObject({
      conserved: true,
      money: { unclaimedWei: '0', paidWei: cor(2) },
    });
  });

  test('and the stake of a node that has left, once it is unbonded', async () => {
    const left = await json('node', 'leave', '--role', 'miner');
    expect(left).toMatchObject({ stakeWei: cor(1_100), before: false });
    expect(await json('node', 'leave', '--role', 'miner')).toMatchObject({
      before: true,
      unbondsAt: left['unbondsAt'],
    });
    const early = await json('node', 'claim', '--role', 'miner');
    expect(early).toMatchObject({ claimed: [], unbondsAt: left['unbondsAt'] });
    await rpc(anvil.url, 'evm_increaseTime', [7 * 86_400 + 1]);
    await rpc(anvil.url, 'evm_mine');
    const before = await corOf(addressOf('miner'));
    expect((await json('node', 'claim', '--role', 'miner'))['claimed']).toMatchObject([
      { what: 'stake', amountWei: cor(1_100) },
    ]);
    expect((await corOf(addressOf('miner'))) - before).toBe(BigInt(cor(1_100)));
    expect(await json('chain', 'show')).toMatchObject({ conserved: true });
  });
});

test('no command has printed a private key', () => {
  const secrets = (['client', 'router', 'miner', 'validator', 'oracle'] as const).map((role) => keys.account(role, 0));
  expect(printed.length).toBeGreaterThan(1_000);
  for (const secret of secrets) expect(printed).not.toContain(secret.slice(2));
});
