import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { readDeploymentRecord } from '../../src/adapters/chain/deployment-record.ts';
import { createViemChain } from '../../src/adapters/chain/viem-chain.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { registryCommand } from '../../src/cli/registry-command.ts';
import { sessionCommand } from '../../src/cli/session-command.ts';
import { present } from '../../src/core/assert.ts';
import type { Address, Role, SessionId } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import type { Chain } from '../../src/ports/chain.ts';
import { cor, digest, effect } from './chain.harness.ts';
import { pouwError } from './pouw-error.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory();
const data = scratch.file('net');
let anvil: AnvilProcess;
let keys: KeyRing;

type Answer = Record<string, unknown>;
const addressOf = (role: Role, index = 0): Address => member(keys, role, index).address;

async function run(...args: string[]): Promise<string> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const program = new Command();
  for (const command of [sessionCommand(), registryCommand(), chainCommand()]) program.addCommand(command);
  const quiet = (command: Command): void => command.exitOverride().commands.forEach(quiet);
  quiet(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    vi.restoreAllMocks();
  }
  return out;
}

async function json(...args: string[]): Promise<Answer> {
  return JSON.parse(await run(...args, '--data', data, '--json')) as Answer;
}

const refused = (code: string, ...args: string[]) =>
  expect(run(...args, '--data', data), args.join(' ')).rejects.toEqual(pouwError(code));

async function inChain<T>(work: (chain: Chain) => Promise<T>): Promise<T> {
  const { deployment } = present(await readDeploymentRecord(scratch.file('net/chain')), 'the deployment');
  const store = openChainStore(':memory:');
  const accounts = new Map((['client', 'router'] as const).map((role) => [addressOf(role), keys.account(role, 0)]));
  const chain = await createViemChain({ rpcUrl: anvil.url, deployment, accounts, store, mineOnDemand: true });
  try {
    return await work(chain);
  } finally {
    await chain.close();
    store.close();
  }
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
