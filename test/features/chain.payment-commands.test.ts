import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { registryCommand } from '../../src/cli/registry-command.ts';
import { sessionCommand } from '../../src/cli/session-command.ts';
import { useCommand } from '../../src/cli/use-command.ts';
import type { Address, Role, SessionId } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { cor, digest, effect } from './chain.harness.ts';
import { rpc } from './chain.local-chain.ts';
import { inChainOf, runCommand } from './chain.cli.ts';
import { pouwError } from './pouw-error.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
const data = scratch.file('net');
let anvil: AnvilProcess;
let keys: KeyRing;

type Answer = Record<string, unknown>;
const addressOf = (role: Role, index = 0): Address => member(keys, role, index).address;

function run(...args: string[]): Promise<string> {
  return runCommand([sessionCommand(), registryCommand(), chainCommand(), useCommand()], args);
}

async function json(...args: string[]): Promise<Answer> {
  return JSON.parse(await run(...args, '--data', data, '--json')) as Answer;
}

const refused = (code: string, ...args: string[]) =>
  expect(run(...args, '--data', data), args.join(' ')).rejects.toEqual(pouwError(code));

function inChain<T>(work: (chain: Chain) => Promise<T>): Promise<T> {
  const accounts = new Map((['client', 'router'] as const).map((role) => [addressOf(role), keys.account(role, 0)]));
  return inChainOf({ rpcUrl: anvil.url, folder: scratch.file('net/chain'), accounts }, work);
}

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  keys = openKeyFile(scratch.file(`net/${keyFileName}`), systemRandom);
  anvil = await startAnvil({ directory: scratch.file('net/chain') });
  const funded = (['client', 'router', 'oracle'] as const).map((role) => addressOf(role));
  await run('chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain'), '--fund', ...funded, '--json');
  await json('node', 'register', '--role', 'router');
});
afterAll(async () => {
  await anvil.stop();
  scratch.remove();
});

describe('pouw session allow and revoke', () => {
  const file = scratch.file('allowance.json');
  let session: SessionId;
  let router: Address;
  const submit = (chain: Chain, word: string, maxPriceWei = cor(2)) =>
    chain.send(
      router,
      {
        call: 'submit',
        session,
        requestId: digest(word),
        promptDigest: digest('prompt'),
        maxTokens: 8,
        maxPriceWei,
      },
      effect(word),
    );
  const allow = (...more: string[]) => ['session', 'allow', session, '--router', router, ...more];
  const grantOf = async () => (await json('session', 'show', session))['allowances'] as Answer[];

  beforeAll(async () => {
    const created = await json('session', 'create', '--allowance-only');
    session = created['session'] as SessionId;
    router = addressOf('router');
  });

  test('sign without a transaction, the same allowance for the same words', async () => {
    const words = allow('--limit', '4', '--task-limit', '2', '--until', '24h');
    const first = await json(...words);
    expect(first).toMatchObject({ kind: 'pouw.allowance', session, router, limit_wei: cor(4), task_limit_wei: cor(2) });
    expect(await json(...words)).toMatchObject({ nonce: first['nonce'] });
    expect((await json(...words, '--request-id', 'another'))['nonce']).not.toBe(first['nonce']);
    expect(await run(...words, '--out', file, '--data', data)).toContain('The allowance is signed.');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ nonce: first['nonce'] });
    expect(JSON.parse(await run(...words, '--data', data))).toMatchObject({ nonce: first['nonce'] });
    expect(await grantOf()).toEqual([]);
    await inChain((chain) => expect(submit(chain, 'early')).rejects.toEqual(pouwError('chain_reverted')));
  });

  test('are brought once, by anybody, and what is left is shown', async () => {
    const bring = ['session', 'allow', '--use', file, '--role', 'oracle'];
    expect(await json(...bring)).toMatchObject({ session, router, leftWei: cor(4), before: false });
    expect(await json(...bring)).toMatchObject({ leftWei: cor(4), before: true });
    await refused('allowance_used', 'session', 'allow', '--use', file, '--role', 'client');
    await inChain((chain) => submit(chain, 'first'));
    expect(await grantOf()).toMatchObject([{ router, owner: addressOf('client'), leftWei: cor(2) }]);
    const text = await run('session', 'show', session, '--data', data);
    expect(text).toMatch(/allows 0x\S+ +2 \$COR more, until \d{4}-/);
    expect(text).toContain('its owner, and routers within an allowance');
    // The nonce of the same words is used, whatever the time is that they say now.
    await refused('allowance_used', ...allow('--limit', '4', '--task-limit', '2', '--until', '24h'));
  });

  test('are refused before anything is sent where they are worth nothing', async () => {
    await refused('allowance_incomplete', 'session', 'allow', session, '--router', router, '--limit', '1');
    await refused('session_of_another', ...allow('--limit', '1', '--until', '1h', '--role', 'oracle'));
    await refused('allowance_expired', ...allow('--limit', '1', '--until', '2020-01-01'));
    await refused('allowance_too_large', ...allow('--limit', `${2n ** 96n}wei`, '--until', '1h'));
    await json(...allow('--limit', `${2n ** 96n - 1n}wei`, '--until', '1h'));
    await refused('allowance_file_unreadable', 'session', 'allow', '--use', scratch.file('none.json'));
    await refused(
      'allowance_file_unwritable',
      ...allow('--limit', '1', '--until', '1h', '--out', scratch.file('no/such/folder')),
    );
    const other = (await json('session', 'create', '--request-id', 'other'))['session'] as string;
    await refused('allowance_for_another_session', 'session', 'allow', other, '--use', file, '--role', 'router');
    const written = JSON.parse(readFileSync(file, 'utf8')) as Answer;
    const bring = async (code: string, change: Answer) => {
      const path = scratch.file(`${code}.json`);
      writeFileSync(path, JSON.stringify({ ...written, ...change }));
      await refused(code, 'session', 'allow', '--use', path, '--role', 'router');
    };
    await bring('allowance_not_signed', { nonce: '5' });
    await bring('allowance_not_of_owner', { owner: router });
    await bring('allowance_empty', { limit_wei: '0', nonce: '6' });
    await bring('invalid_request', { signature: 'yes' });
    for (const until of ['tomorrow', '24', '2027-13-45'])
      await expect(run(...allow('--limit', '1', '--until', until))).rejects.toMatchObject({
        code: 'commander.invalidArgument',
      });
  });

  test('end at once where their owner takes them back, brought or not', async () => {
    await refused('revoke_ambiguous', 'session', 'revoke', session);
    await refused('chain_reverted', 'session', 'revoke', session, '--router', router, '--role', 'oracle');
    const revoked = await json('session', 'revoke', session, '--router', router);
    expect(revoked).toMatchObject({ revokedWei: cor(2), before: false });
    expect(await json('session', 'revoke', session, '--router', router)).toMatchObject({ before: true });
    expect(await grantOf()).toEqual([]);
    await inChain((chain) => expect(submit(chain, 'late')).rejects.toEqual(pouwError('chain_reverted')));
    const { nonce } = await json(...allow('--limit', '3', '--until', '1h', '--out', file));
    await json('session', 'revoke', session, '--nonce', String(nonce));
    expect(await json('session', 'revoke', session, '--nonce', String(nonce))).toMatchObject({ before: true });
    await refused('allowance_used', 'session', 'allow', '--use', file, '--role', 'router');
  });
});

describe('pouw stake-to-use, and sessions by it', () => {
  const use = (...more: string[]) => json('stake-to-use', ...more);
  const create = ['session', 'create', '--pay', 'stake', '--deposit', '2'];
  const later = async (seconds: number): Promise<void> => {
    await rpc(anvil.url, 'evm_increaseTime', [seconds]);
    await rpc(anvil.url, 'evm_mine');
  };
  const held = (role: Role) => inChain(async (chain) => BigInt(await chain.corBalance(addressOf(role))));

  test('stake and fund once for each request, and say what may be used', async () => {
    expect(await use('show')).toMatchObject({ stakeWei: '0', usableWei: '0', poolWei: '0', sessions: [] });
    await refused('not_staked', ...create);
    await refused('not_staked', 'stake-to-use', 'unstake');
    await refused('not_staked', 'stake-to-use', 'withdraw');
    await refused('insufficient_cor', 'stake-to-use', 'stake', '2000000');
    const before = await held('client');
    const staked = await use('stake', '10000');
    expect(staked).toMatchObject({ stakeWei: cor(10_000), before: false });
    expect(await use('stake', '10000')).toMatchObject({ txHash: staked['txHash'], before: true });
    expect(before - (await held('client'))).toBe(BigInt(cor(10_000)));
    await refused('use_exceeded', ...create);
    await later(86_400);
    expect(await use('show')).toMatchObject({ usableWei: cor(5) });
    await refused('pool_exhausted', ...create);
    expect(await use('fund', '3', '--role', 'oracle')).toMatchObject({ poolWei: cor(3), before: false });
    expect(await use('fund', '3', '--role', 'oracle')).toMatchObject({ poolWei: cor(3), before: true });
  });

  test('open, fill and close a session from the pool, and no $COR of the account moves', async () => {
    const before = await held('client');
    const opened = await json(...create);
    const session = String(opened['session']);
    expect(await json(...create)).toMatchObject({ session, before: true });
    expect(await use('show')).toMatchObject({ poolWei: cor(1), sessions: [session] });
    expect(await json('session', 'show', session)).toMatchObject({ user: addressOf('client'), balanceWei: cor(2) });
    const shown = await run('session', 'show', session, '--data', data);
    expect(shown).toContain(`the pool, for ${addressOf('client')}`);
    const { sessions } = await json('session', 'list');
    expect((sessions as Answer[]).map((one) => one['session'])).toContain(session);

    await refused('session_of_another', 'session', 'deposit', session, '0.5', '--role', 'oracle');
    expect(await json('session', 'deposit', session, '0.5')).toMatchObject({ balanceWei: '2500000000000000000' });
    expect(await json('session', 'deposit', session, '0.5')).toMatchObject({ before: true });
    await refused('pool_exhausted', 'session', 'deposit', session, '1');
    await refused('use_exceeded', 'session', 'deposit', session, '4');
    // A contract signs nothing: an allowance of its user is none of the owner's.
    await refused(
      'session_of_another',
      'session',
      'allow',
      session,
      '--router',
      addressOf('router'),
      '--limit',
      '1',
      '--until',
      '1h',
    );
    await refused('chain_reverted', 'session', 'close', session, '--role', 'oracle');
    expect(await json('session', 'close', session)).toMatchObject({
      state: 'closed',
      refundedWei: '2500000000000000000',
    });
    expect(await use('show')).toMatchObject({ poolWei: cor(3) });
    expect(await held('client')).toBe(before);
    expect(await json('chain', 'show')).toMatchObject({ conserved: true });
  });

  test('give the whole stake back a week after it was asked for', async () => {
    await refused('stake_locked', 'stake-to-use', 'withdraw');
    const asked = await use('unstake');
    expect(await use('unstake')).toMatchObject({ unlocksAt: asked['unlocksAt'], before: true });
    expect(await use('show')).toMatchObject({ usableWei: '0', unlocksAt: asked['unlocksAt'] });
    await refused('stake_locked', 'stake-to-use', 'withdraw');
    await refused('not_staked', ...create, '--request-id', 'late');
    await later(7 * 86_400);
    const before = await held('client');
    expect(await use('withdraw')).toMatchObject({ amountWei: cor(10_000) });
    expect((await held('client')) - before).toBe(BigInt(cor(10_000)));
    expect(await run('stake-to-use', 'show', '--data', data)).toContain('It has staked nothing for its use.');
  });
});
