import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import type { Commit } from '../../src/core/commit.ts';
import { httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { runOneTask } from '../kit/one-task.ts';
import { killLeftovers, processesNaming, runPouw, startPouw } from '../kit/pouw-process.ts';
import { tamperableDatabase } from '../kit/tamper.ts';

const place = scratch('refused');
const original = join(place.path, 'original');
/** A copy of it before its last task. */
const older = join(place.path, 'older');

beforeAll(async () => {
  await runOneTask(original, 'first');
  cpSync(original, older, { recursive: true });
  await runOneTask(original, 'second');
});
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

/** A new copy of the data directory of a network that has run and was stopped. */
function copy(of = original): string {
  const data = mkdtempSync(join(place.path, 'copy-'));
  cpSync(of, data, { recursive: true });
  return data;
}

/** Expects that a start is refused with a code and a way out, adds nothing to the log, and leaves no process. */
async function expectRefused(data: string, error: string, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await runPouw(['start', '--data', data, '--port', '0', '--json', ...args]);
  expect({ code, stdout, error: /^error (\w+):/m.exec(stderr)?.[1] }).toEqual({ code: 1, stdout: '', error });
  expect(stderr).toMatch(/^ *next: \S/m);
  expect(processesNaming(data)).toEqual([]);
}

describe('a network does not start again', () => {
  it.each(['junk', '{"block":-1,"recent":[]}'])('on the cursor %j', async (value) => {
    const data = copy();
    const database = new DatabaseSync(join(data, 'log.sqlite'));
    expect(database.prepare('UPDATE cursors SET value = ?').run(value).changes).toBeGreaterThan(0);
    database.close();
    await expectRefused(data, 'chain_cursor_unreadable');
  });

  /** Puts parts of one copy in the place of those of another. */
  function mixed(base: string, from: string, ...parts: readonly string[]): string {
    const data = copy(base);
    for (const part of parts) {
      rmSync(join(data, part), { recursive: true, force: true });
      cpSync(join(from, part), join(data, part), { recursive: true });
    }
    return data;
  }

  const journal = ['chain/tx.sqlite'];
  const state = ['chain/state.json', 'chain/blocks.ndjson'];
  it.each([
    ['an older chain under its log', original, older, ['chain'], 'chain_cursor_lost'],
    ['an older log on its chain', older, original, ['chain'], 'log_behind_chain'],
    ['a newer journal of transactions', older, original, journal, 'log_behind_chain'],
    ['a newer state of its chain', older, original, state, 'log_behind_chain'],
    ['a newer state without the blocks of it', older, original, ['chain/state.json'], 'chain_parts_mixed'],
    ['an older state of its chain', original, older, state, 'chain_parts_mixed'],
    ['an older state under the blocks after it', original, older, ['chain/state.json'], 'chain_parts_mixed'],
    ['an older chain and content under its journal', older, original, ['log.sqlite', ...journal], 'chain_parts_mixed'],
    ['older content', original, older, ['blocks'], 'content_lost'],
  ])('on %s', async (_, base, from, parts, error) => {
    const data = mixed(base, from, ...parts);
    const log = readFileSync(join(data, 'log.sqlite'));
    await expectRefused(data, error);
    expect(readFileSync(join(data, 'log.sqlite')).equals(log)).toBe(true);
  });

  it('on a log of the same run that is older by a task, after a kill', async () => {
    const data = copy();
    const earlier = join(place.path, 'earlier');
    const pouw = await startPouw(data);
    cpSync(data, earlier, { recursive: true });
    const client = httpClient(pouw.ready);
    const { id } = await client.submit('What is a cat?', 'cat');
    for await (const update of client.events(id)) if (update['type'] === 'verdict') break;
    pouw.kill('SIGKILL');
    await pouw.ended;
    await killLeftovers(data);
    for (const name of ['log.sqlite', 'log.sqlite-wal', 'log.sqlite-shm']) {
      rmSync(join(data, name), { force: true });
      if (existsSync(join(earlier, name))) cpSync(join(earlier, name), join(data, name));
    }
    await expectRefused(data, 'log_behind_chain');
  });

  it('after a kill without the blocks that were made since its state was saved, and with them goes on', async () => {
    const data = copy();
    const pouw = await startPouw(data);
    const saved = readFileSync(join(data, 'chain', 'state.json'));
    const log = readFileSync(join(data, 'chain', 'blocks.ndjson'));
    const client = httpClient(pouw.ready);
    const { id } = await client.submit('What is a cat?', 'cat');
    for await (const update of client.events(id)) if (update['type'] === 'verdict') break;
    pouw.kill('SIGKILL');
    await pouw.ended;
    await killLeftovers(data);
    const newest = join(place.path, 'newest');
    cpSync(join(data, 'chain'), newest, { recursive: true });
    writeFileSync(join(data, 'chain', 'state.json'), saved);
    writeFileSync(join(data, 'chain', 'blocks.ndjson'), log);
    await expectRefused(data, 'chain_parts_mixed');
    rmSync(join(data, 'chain'), { recursive: true });
    cpSync(newest, join(data, 'chain'), { recursive: true });
    await runOneTask(data, 'dog');
  });

  it('on a state of its chain of which one digit was changed', async () => {
    const data = copy();
    const file = join(data, 'chain', 'state.json');
    const saved = readFileSync(file, 'utf8');
    const at = saved.lastIndexOf('"0x') + 3;
    writeFileSync(file, `${saved.slice(0, at)}${saved[at] === '1' ? '2' : '1'}${saved.slice(at + 1)}`);
    await expectRefused(data, 'chain_parts_mixed');
    writeFileSync(file, saved);
    await runOneTask(data, 'digit');
  });

  it('after a kill without journal and blocks, and does with them', async () => {
    const data = copy();
    const pouw = await startPouw(data);
    const client = httpClient(pouw.ready);
    const { id } = await client.submit('What is a cow?', 'cow');
    for await (const update of client.events(id)) if (update['type'] === 'verdict') break;
    pouw.kill('SIGKILL');
    await pouw.ended;
    await killLeftovers(data);
    const kept = join(place.path, 'kept');
    cpSync(join(data, 'chain'), kept, { recursive: true });
    const parts = ['blocks.ndjson', 'tx.sqlite', 'tx.sqlite-wal', 'tx.sqlite-shm'];
    for (const name of parts) rmSync(join(data, 'chain', name), { force: true });
    await expectRefused(data, 'chain_cursor_lost');
    for (const name of parts) {
      rmSync(join(data, 'chain', name), { force: true });
      if (existsSync(join(kept, name))) cpSync(join(kept, name), join(data, 'chain', name));
    }
    await runOneTask(data, 'horse');
  });

  it('on the log of another time, and does once its own is put back', async () => {
    const data = mixed(older, original, 'log.sqlite');
    await expectRefused(data, 'chain_cursor_lost');
    cpSync(join(older, 'log.sqlite'), join(data, 'log.sqlite'));
    await runOneTask(data, 'again');
  });

  it('on damaged pins, and does without them', async () => {
    const data = copy();
    const file = join(data, 'pins.db');
    const bytes = readFileSync(file);
    for (let at = bytes.length / 2; at < bytes.length / 2 + 64; at += 1) bytes[at] = 0xff;
    writeFileSync(file, bytes);
    await expectRefused(data, 'content_directory_unusable');
    rmSync(file);
    await runOneTask(data, 'unpinned');
  });

  it('without its content', async () => {
    const data = copy();
    rmSync(join(data, 'blocks'), { recursive: true });
    await expectRefused(data, 'content_lost');
  });

  it('on a cursor that is ahead of its chain', async () => {
    const data = copy();
    const database = new DatabaseSync(join(data, 'log.sqlite'));
    const ahead = JSON.stringify({ block: 99_999, reorg: 0, recent: [] });
    expect(database.prepare("UPDATE cursors SET value = ? WHERE name = 'chain'").run(ahead).changes).toBe(1);
    database.close();
    await expectRefused(data, 'chain_cursor_lost');
  });

  it('with the keys of another one, and goes on with its own', async () => {
    const data = copy();
    const file = join(data, 'keys.json');
    const own = readFileSync(file, 'utf8');
    const { v, secret } = JSON.parse(own) as { v: number; secret: string };
    writeFileSync(file, JSON.stringify({ v, secret: `0x${'e'.repeat(63)}${secret.endsWith('1') ? '2' : '1'}` }));
    await expectRefused(data, 'key_file_foreign');
    writeFileSync(file, own);
    const pouw = await startPouw(data);
    pouw.kill('SIGINT');
    expect((await pouw.ended).code).toBe(0);
  });

  it('on a log with one digit too many, and adds nothing to it', async () => {
    const data = copy();
    const log = tamperableDatabase(data);
    const deposit = log.commits().find(({ commit }) => commit.events.some(({ type }) => type === 'SessionDeposited'));
    if (deposit === undefined) throw new Error('the log has no deposit');
    const changed = JSON.stringify(deposit.commit).replace(/("amountWei":"\d)/, (_, start: string) => `${start}1`);
    log.replace(deposit, JSON.parse(changed) as Commit);
    const database = new DatabaseSync(join(data, 'log.sqlite'));
    database.exec('DELETE FROM snapshots');
    database.close();
    const before = log.commits();
    await expectRefused(data, 'commit_damaged');
    expect(log.commits()).toEqual(before);
  });

  it.each([
    ['without the state of its chain', 'chain/state.json', 'chain_state_missing'],
    ['without the record of its deployment', 'chain/deployment.json', 'deployment_unknown'],
    ['without its chain folder', 'chain', 'deployment_unknown'],
    ['without its keys', 'keys.json', 'key_file_missing'],
  ])('%s, and puts nothing in its place', async (_, lost, error) => {
    const data = copy();
    rmSync(join(data, lost), { recursive: true });
    await expectRefused(data, error);
    expect(existsSync(join(data, lost))).toBe(false);
  });

  it('without its log', async () => {
    const data = copy();
    for (const name of ['log.sqlite', 'log.sqlite-wal', 'log.sqlite-shm']) rmSync(join(data, name), { force: true });
    await expectRefused(data, 'log_behind_chain');
  });

  it('on a log whose end was cut after it was anchored', async () => {
    const data = copy();
    const log = tamperableDatabase(data);
    const submitted = log.commits().find(({ commit }) => commit.events.some(({ type }) => type === 'TaskSubmitted'));
    if (submitted === undefined) throw new Error('the log has no task');
    log.cutFrom(submitted);
    const kept = log.commits();
    await expectRefused(data, 'log_behind_chain');
    expect(log.commits()).toEqual(kept);
  });

  it('on another chain with the same id, and keeps the record of its own', async () => {
    const data = copy();
    const record = readFileSync(join(data, 'chain', 'deployment.json'), 'utf8');
    const other = await startAnvil({ directory: join(place.path, 'other-chain') });
    try {
      await expectRefused(data, 'wrong_chain', '--rpc', other.url);
    } finally {
      await other.stop();
    }
    expect(readFileSync(join(data, 'chain', 'deployment.json'), 'utf8')).toBe(record);
  });

  it.each([
    ['an older journal of transactions', true],
    ['no journal of transactions', false],
  ])('but does with %s: what it has sent is on the chain', async (_, isKept) => {
    const data = copy();
    for (const name of ['tx.sqlite', 'tx.sqlite-wal', 'tx.sqlite-shm'])
      rmSync(join(data, 'chain', name), { force: true });
    if (isKept) cpSync(join(older, 'chain', 'tx.sqlite'), join(data, 'chain', 'tx.sqlite'));
    await runOneTask(data, 'third');
    const { code, stdout } = await runPouw(['log', 'verify', data, '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true }]);
  });

  it('unless nothing is wrong with its directory', async () => {
    const pouw = await startPouw(copy());
    pouw.kill('SIGINT');
    expect(await pouw.ended).toMatchObject({ code: 0 });
  });
});

describe('a first start that is refused', () => {
  it('leaves no directory behind', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const [first, second] = [join(place.path, 'first'), join(place.path, 'second')];
    await expectRefused(first, 'model_not_found', '--model', join(place.path, 'no-model'));
    await expectRefused(second, 'port_in_use', '--port', String(port));
    server.close();
    const third = join(place.path, 'third');
    await expectRefused(third, 'chain_unreachable', '--rpc', 'http://127.0.0.1:1');
    expect([first, second, third].filter((folder) => existsSync(folder))).toEqual([]);
  });

  it('leaves it where its accounts may have money on a chain of others', async () => {
    const guest = join(place.path, 'refused-guest');
    const anvil = await startAnvil({ directory: join(place.path, 'refused-outside') });
    try {
      await expectRefused(guest, 'model_not_found', '--rpc', anvil.url, '--model', join(place.path, 'no-model'));
    } finally {
      await anvil.stop();
    }
    expect(existsSync(join(guest, 'keys.json'))).toBe(true);
  });
});

describe('a network that began on an outside chain', () => {
  it('does not go on with a chain of its own, nor on that chain begun anew', async () => {
    const data = join(place.path, 'guest');
    const outside = join(place.path, 'outside');
    const anvil = await startAnvil({ directory: outside });
    const pouw = await startPouw(data, ['--rpc', anvil.url]);
    pouw.kill('SIGINT');
    expect(await pouw.ended).toMatchObject({ code: 0 });
    await anvil.stop();
    await expectRefused(data, 'chain_state_missing');
    expect(existsSync(join(data, 'chain', 'state.json'))).toBe(false);
    rmSync(outside, { recursive: true });
    const anew = await startAnvil({ directory: outside });
    try {
      await expectRefused(data, 'wrong_chain', '--rpc', anew.url);
    } finally {
      await anew.stop();
    }
  });
});
