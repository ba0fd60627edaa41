import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { keyFileName, openKeyFile } from '../../src/adapters/local/key-file.ts';
import { systemRandom } from '../../src/adapters/local/system-clock.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { member } from '../../src/cli/compose/members.ts';
import { registryCommand } from '../../src/cli/registry-command.ts';
import { sessionCommand } from '../../src/cli/session-command.ts';
import { useCommand } from '../../src/cli/use-command.ts';
import type { Address, Role } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/core/key-ring.ts';
import { cor } from './chain.harness.ts';
import { rpc } from './chain.local-chain.ts';
import { runCommand } from './chain.cli.ts';
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

const text = (...args: string[]) => run(...args, '--data', data);
const session = (...args: string[]) => json('session', ...args);

/** A refusal before anything is sent, by its code. */
const refused = (code: string, ...args: string[]) =>
  expect(run('session', ...args, '--data', data), args.join(' ')).rejects.toEqual(pouwError(code));

async function create(name: string, ...more: string[]): Promise<string> {
  return String((await session('create', '--request-id', name, ...more))['session']);
}

const later = async (seconds: number): Promise<void> => {
  await rpc(anvil.url, 'evm_increaseTime', [seconds]);
  await rpc(anvil.url, 'evm_mine');
};

const nodes = [
  ['router', 0],
  ['router', 1],
  ['miner', 0],
  ['miner', 1],
] as const;

beforeAll(async () => {
  mkdirSync(data, { recursive: true });
  keys = openKeyFile(scratch.file(`net/${keyFileName}`), systemRandom);
  anvil = await startAnvil({ directory: scratch.file('net/chain') });
  const others = (['client', 'oracle'] as const).map((role) => addressOf(role));
  const funded = [...others, ...nodes.map(([role, index]) => addressOf(role, index))];
  await run('chain', 'deploy', '--rpc', anvil.url, '--data', scratch.file('net/chain'), '--fund', ...funded, '--json');
  for (const [role, index] of nodes) await json('node', 'register', '--role', role, '--index', String(index));
});
afterAll(async () => {
  await anvil.stop();
  scratch.remove();
});

describe('pouw session update', () => {
  test('changes what is named, once, and leaves the rest as it is', async () => {
    const id = await create('update');
    const before = await session('show', id);
    const words = ['update', id, '--redundancy', '1', '--max-price', '2', '--allowance-only'];
    const updated = await session(...words);
    expect(updated).toMatchObject({
      session: id,
      version: 2,
      changed: ['redundancy', 'routerMaySubmit', 'maxTaskPriceWei'],
      before: false,
    });
    expect(await session(...words)).toEqual({
      session: id,
      version: 2,
      terms: updated['terms'],
      before: true,
    });
    const change = { redundancy: 1, maxTaskPriceWei: cor(2), routerMaySubmit: false };
    const terms = { ...(before['terms'] as object), ...change };
    expect(await session('show', id)).toMatchObject({ version: 2, terms });
    expect(await text('session', 'show', id)).toMatch(/terms +version 2/);
    // And back, and forth again: each is a version of its own.
    expect(await session('update', id, '--no-allowance-only')).toMatchObject({ version: 3, before: false });
    expect(await session('update', id, '--allowance-only')).toMatchObject({ version: 4, before: false });
    const shown = await text('session', 'update', id, '--redundancy', '2');
    expect(shown).toContain('New tasks are under these terms; those under way keep theirs.');
    expect(shown).toMatch(/miners a task +1, now 2/);
    const { sessions } = await session('list');
    expect(sessions).toContainEqual(expect.objectContaining({ session: id, version: 5 }));
  });

  test('is done once under a name, whatever came after', async () => {
    const id = await create('named');
    const first = await session('update', id, '--redundancy', '2', '--request-id', 'named-update');
    await session('update', id, '--redundancy', '1');
    const again = await session('update', id, '--redundancy', '2', '--request-id', 'named-update');
    expect(again).toMatchObject({ txHash: first['txHash'], before: true });
    expect(await session('show', id)).toMatchObject({ version: 3, terms: { redundancy: 1 } });
  });

  test('refuses what the contract would, before anything is sent', async () => {
    const id = await create('refusals');
    await refused('nothing_to_update', 'update', id);
    await refused('session_not_found', 'update', `${id}0`, '--redundancy', '1');
    await refused('session_of_another', 'update', id, '--redundancy', '1', '--role', 'oracle');
    await refused('terms_impossible', 'update', id, '--min-miners', '4');
    await refused('terms_impossible', 'update', id, '--max-miners', '2');
    await refused('terms_impossible', 'update', id, '--validators', '0');
    await refused('terms_impossible', 'update', id, '--reserve-fee', '6');
    await refused('appeal_window_impossible', 'update', id, '--appeal-window', '60', '--settlement', 'batched');
    await refused('appeal_window_out_of_bounds', 'update', id, '--appeal-window', '80000');
    await refused('dedicated_miners_too_few', 'update', id, '--mode', 'dedicated');
    expect(await session('show', id)).toMatchObject({ version: 1 });
    await session('close', id);
    await refused('session_not_open', 'update', id, '--redundancy', '1');
  });

  test('cannot change a session of the pool of stakes for use', async () => {
    await json('stake-to-use', 'stake', '10000');
    await json('stake-to-use', 'fund', '3');
    await later(86_400);
    const id = await create('pooled', '--pay', 'stake', '--deposit', '2');
    await refused('session_of_pool', 'update', id, '--redundancy', '1');
    await refused('session_of_pool', 'deactivate', id);
    expect(await session('close', id)).toMatchObject({ state: 'closed' });
  });
});

describe('pouw session deactivate and reactivate', () => {
  test('have a session rest and wake as often as its owner likes; it can be filled and closed meanwhile', async () => {
    const id = await create('rest');
    for (const _ of ['once', 'twice']) {
      expect(await session('reactivate', id)).toEqual({ session: id, state: 'open', before: true });
      expect(await session('deactivate', id)).toMatchObject({ state: 'inactive', before: false });
      expect(await session('deactivate', id)).toEqual({ session: id, state: 'inactive', before: true });
      expect(await session('show', id)).toMatchObject({ state: 'inactive' });
      await refused('session_of_another', 'reactivate', id, '--role', 'oracle');
      expect(await session('reactivate', id)).toMatchObject({ state: 'open', before: false });
    }
    await session('deactivate', id);
    expect(await session('deposit', id, '1')).toMatchObject({ balanceWei: cor(101) });
    expect(await session('close', id)).toMatchObject({ state: 'closed', refundedWei: cor(101) });
    await refused('session_not_open', 'reactivate', id);
    await refused('session_not_open', 'deactivate', id);
  });
});

describe('pouw session offer and accept', () => {
  const ids = async (...args: string[]) =>
    ((await session('list', ...args))['sessions'] as Answer[]).map(({ session: id }) => id);

  test('give a session to another account, which lists and owns it from then on', async () => {
    const id = await create('hands');
    const to = addressOf('oracle');
    const offer = ['offer', id, '--to', to];
    await refused('offer_ambiguous', 'offer', id);
    await refused('offer_ambiguous', ...offer, '--take-back');
    await refused('session_of_another', ...offer, '--role', 'oracle');
    await refused('session_not_offered', 'accept', id, '--role', 'oracle');
    expect(await session('offer', id, '--take-back')).toMatchObject({ offeredTo: null, before: true });
    for (const _ of ['once', 'twice']) {
      expect(await session(...offer)).toMatchObject({ offeredTo: to, before: false });
      expect(await session(...offer)).toMatchObject({ offeredTo: to, before: true });
      expect(await session('show', id)).toMatchObject({ offeredTo: to });
      expect(await session('offer', id, '--take-back')).toMatchObject({ offeredTo: null, before: false });
    }
    await session(...offer);
    await refused('session_not_offered', 'accept', id, '--role', 'router');
    const accepted = await session('accept', id, '--role', 'oracle');
    expect(accepted).toMatchObject({ from: addressOf('client'), client: to, balanceWei: cor(100), before: false });
    expect(await session('accept', id, '--role', 'oracle')).toMatchObject({ client: to, before: true });
    expect([await ids(), await ids('--role', 'oracle')]).toEqual([expect.not.arrayContaining([id]), [id]]);
    await refused('session_of_another', 'offer', id, '--to', addressOf('router'));
    await session('close', id, '--role', 'oracle');
    await refused('session_not_open', 'offer', id, '--to', addressOf('client'), '--role', 'oracle');
  });
});

describe('pouw session router', () => {
  const routers = async (id: string) => ((await session('show', id))['terms'] as { routers: string[] }).routers;

  test('adds, removes and replaces, and shows those of now', async () => {
    const [one, two] = [addressOf('router'), addressOf('router', 1)];
    const id = await create('routers', '--router', one);
    const router = (what: string, who: string, ...more: string[]) => ['router', what, id, '--router', who, ...more];
    expect(await session(...router('add', one))).toEqual({ session: id, routers: [one], before: true });
    await refused('not_a_router', ...router('add', addressOf('miner')));
    await refused('session_of_another', ...router('add', two, '--role', 'oracle'));
    await refused('last_router', ...router('remove', one));
    expect(await session(...router('remove', two))).toMatchObject({ routers: [one], before: true });
    for (const _ of ['once', 'twice']) {
      expect(await session(...router('add', two))).toMatchObject({ routers: [one, two], before: false });
      expect(await routers(id)).toEqual([one, two]);
      expect(await session(...router('remove', two))).toMatchObject({ routers: [one], before: false });
    }
    await refused('not_a_router', ...router('replace', one, '--by', addressOf('miner')));
    await refused('router_not_listed', ...router('replace', addressOf('miner'), '--by', two));
    // Its log stays with the router it was opened with.
    await refused('routers_of_opening_gone', ...router('replace', one, '--by', two));
    expect(await session(...router('replace', one, '--by', two, '--force'))).toMatchObject({ routers: [two] });
    expect(await session(...router('replace', one, '--by', two))).toMatchObject({ routers: [two], before: true });
    expect(await session(...router('replace', two, '--by', one))).toMatchObject({ routers: [one], before: false });
    await session(...router('add', two));
    await refused('router_listed', ...router('replace', one, '--by', two));
    await refused('routers_of_opening_gone', ...router('remove', one));
    expect(await routers(id)).toEqual([one, two]);
  });
});

describe('pouw session miner', () => {
  test('adds and removes dedicated miners, within what the terms allow', async () => {
    const [one, two] = [addressOf('miner'), addressOf('miner', 1)];
    const id = await create('miners', '--redundancy', '1', '--max-miners', '1');
    const miner = (what: string, who: string, ...more: string[]) => ['miner', what, id, '--miner', who, ...more];
    await refused('session_of_another', ...miner('add', one, '--role', 'oracle'));
    expect(await session(...miner('remove', one))).toMatchObject({ dedicatedMiners: [], before: true });
    const shown = await text('session', ...miner('add', one));
    expect(shown).toContain('any miner works for it until `pouw session update --mode dedicated`');
    expect(await session(...miner('add', one))).toMatchObject({ dedicatedMiners: [one], before: true });
    await refused('too_many_dedicated_miners', ...miner('add', two));
    expect(await session('update', id, '--mode', 'dedicated', '--max-miners', '2')).toMatchObject({ version: 2 });
    await refused('dedicated_miners_too_few', ...miner('remove', one));
    await refused('dedicated_miners_too_few', 'update', id, '--redundancy', '2');
    expect(await session(...miner('add', two))).toMatchObject({ dedicatedMiners: [one, two], mode: 'dedicated' });
    await refused('terms_impossible', 'update', id, '--max-miners', '1');
    expect(await session(...miner('remove', one))).toMatchObject({ dedicatedMiners: [two], before: false });
    expect(await session('show', id)).toMatchObject({ terms: { mode: 'dedicated', dedicatedMiners: [two] } });
  });
});

describe('pouw session invite, join and what comes after', () => {
  const reserved = async (id: string) => (await session('show', id))['reserved'] as Answer[];
  const asMiner = (index: number) => ['--role', 'miner', '--index', String(index)];
  const about = (what: string, id: string, index: number, ...more: string[]) => {
    return [what, id, '--miner', addressOf('miner', index), ...more];
  };

  test('keep miners for a session: who was invited joins, and is paid at the end or in part', async () => {
    const [one, two] = [addressOf('miner'), addressOf('miner', 1)];
    const id = await create('reserve', '--redundancy', '1', '--max-miners', '1');
    await refused('nothing_to_reserve', ...about('invite', id, 0));
    await session('update', id, '--reserve-period', '3600', '--reserve-fee', '2');
    await refused('not_inviter', ...about('invite', id, 0, '--role', 'oracle'));
    await refused('session_not_found', ...about('invite', `${id}0`, 0));
    await refused('not_a_miner', 'invite', id, '--miner', addressOf('oracle'));
    await refused('not_invited', 'join', id);
    expect(await session(...about('invite', id, 0))).toMatchObject({ miner: one, version: 2, feeWei: cor(2) });
    expect(await session(...about('invite', id, 0))).toMatchObject({ miner: one, before: true });
    expect(await session(...about('withdraw-invitation', id, 0))).toMatchObject({ miner: one, before: false });
    expect(await session(...about('withdraw-invitation', id, 0))).toMatchObject({ before: true });
    await session(...about('invite', id, 0));
    // A router that may submit may spend on this as well.
    expect(await session(...about('invite', id, 1, '--role', 'router'))).toMatchObject({ miner: two, before: false });
    expect(await session('show', id)).toMatchObject({ invited: [one, two], reserved: [] });

    const joined = await session('join', id, ...asMiner(0));
    expect(joined).toMatchObject({ miner: one, feeWei: cor(2), before: false });
    expect(await session('join', id, ...asMiner(0))).toMatchObject({
      reservedUntil: joined['reservedUntil'],
      before: true,
    });
    await refused('reservations_full', 'join', id, ...asMiner(1));
    expect(await reserved(id)).toMatchObject([{ miner: one, feeWei: cor(2) }]);
    const shown = await text('session', 'show', id);
    expect(shown).toMatch(/reserves 0x\S+ +for 2 \$COR, until \d{4}-/);
    expect(shown).toMatch(new RegExp(`invited +${two}`));
    expect(shown).toMatch(/reservations +for 3600 s, 2 \$COR each/);

    await refused('still_reserved', ...about('end-reservation', id, 0, '--role', 'oracle'));
    await refused('not_inviter', ...about('dismiss', id, 0, '--role', 'oracle'));
    await later(1_800);
    const { paidWei } = await session(...about('dismiss', id, 0));
    expect([BigInt(String(paidWei)) >= BigInt(cor(1)), BigInt(String(paidWei)) < BigInt(cor(2))]).toEqual([true, true]);
    expect(await session(...about('dismiss', id, 0))).toMatchObject({ miner: one, before: true });

    await session('join', id, ...asMiner(1));
    await later(3_600);
    expect(await text('session', 'show', id)).toContain('over, to be ended, since');
    await refused('reservation_over', 'leave', id, ...asMiner(1));
    await refused('reservation_not_ended', 'join', id, ...asMiner(1));
    const end = about('end-reservation', id, 1, '--role', 'oracle');
    expect(await session(...end)).toMatchObject({ miner: two, paidWei: cor(2), before: false });
    expect(await session(...end)).toMatchObject({ before: true });
  });

  test('are refused where the terms have changed, the money is too little, or the miner has gone', async () => {
    const id = await create('short', '--deposit', '1', '--reserve-period', '60', '--reserve-fee', '2');
    await session(...about('invite', id, 0));
    await session('update', id, '--task-limit', '5');
    expect(await session('show', id)).toMatchObject({ invited: [] });
    await refused('not_invited', 'join', id, ...asMiner(0));
    await session(...about('invite', id, 0));
    await refused('insufficient_balance', 'join', id, ...asMiner(0));
    await session('deposit', id, '5');
    await session('deactivate', id);
    await refused('session_not_open', 'join', id, ...asMiner(0));
    await session('reactivate', id);
    expect(await session('leave', id, ...asMiner(0))).toMatchObject({ before: true });
    await session('join', id, ...asMiner(0));
    expect(await session('leave', id, ...asMiner(0))).toMatchObject({ before: false });
    expect(await reserved(id)).toEqual([]);
    await session(...about('invite', id, 1));
    await json('node', 'leave', ...asMiner(1));
    await refused('not_a_miner', 'join', id, ...asMiner(1));
    expect(await json('chain', 'show')).toMatchObject({ conserved: true });
  });
});
