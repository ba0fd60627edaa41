import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { anvilRecordFile } from '../../src/adapters/chain/anvil-stale.ts';
import { readProcessRecord, writeProcessRecord } from '../../src/adapters/process/process-record.ts';
import { anvilCacheFolder, anvilStateFile } from '../../src/adapters/chain/anvil-spawn.ts';
import type { StaleAnvil } from '../../src/adapters/chain/anvil-stale.ts';
import { isRunning } from '../../src/adapters/process/running-process.ts';
import { rpc } from './chain.local-chain.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

const someone = '0x00000000000000000000000000000000000000aa';
let scratch: ScratchDirectory;
let directory: string;
const started: AnvilProcess[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  scratch = scratchDirectory();
  directory = scratch.file('chain');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const anvil of started.splice(0)) await anvil.stop().catch(() => undefined);
  const left = await readProcessRecord(anvilRecordFile(directory));
  if (left !== undefined && (await isRunning(left.pid))) process.kill(left.pid, 'SIGKILL');
  scratch.remove();
});

async function start(options: Partial<Parameters<typeof startAnvil>[0]> = {}): Promise<AnvilProcess> {
  const anvil = await startAnvil({ directory, ...options });
  started.push(anvil);
  return anvil;
}

/** Starts an anvil in another process and returns both. */
async function startElsewhere(): Promise<{
  readonly owner: ChildProcess;
  readonly pid: number;
  readonly port: number;
}> {
  const script = new URL('anvil-owner.ts', import.meta.url).pathname;
  const owner = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(owner);
  let output = '';
  owner.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually('the other process', () => output.endsWith('\n'), 20_000);
  return { owner, ...(JSON.parse(output) as { pid: number; port: number }) };
}

async function setBalance(anvil: { readonly url: string }, wei: number): Promise<void> {
  await rpc(anvil.url, 'anvil_setBalance', [someone, `0x${wei.toString(16)}`]);
}

async function balance(anvil: { readonly url: string }): Promise<number> {
  return Number(await rpc(anvil.url, 'eth_getBalance', [someone, 'latest']));
}

describe('a local chain', () => {
  test('mines a transaction at once and an empty block each second', async () => {
    const anvil = await start();
    expect(await rpc(anvil.url, 'eth_chainId')).toBe('0x7a69');
    const before = Number(await rpc(anvil.url, 'eth_blockNumber'));
    expect(before).toBeGreaterThan(0);
    const [from] = (await rpc(anvil.url, 'eth_accounts')) as [string];
    for (let index = 0; index < 3; index += 1) {
      await rpc(anvil.url, 'eth_sendTransaction', [{ from, to: someone, value: '0x1' }]);
    }
    expect(await balance(anvil)).toBe(3);
    expect(Number(await rpc(anvil.url, 'eth_blockNumber'))).toBeGreaterThanOrEqual(before + 3);
    const { timestamp } = (await rpc(anvil.url, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string };
    await aMoment(2_200);
    const later = (await rpc(anvil.url, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string };
    expect(Number(later.timestamp) - Number(timestamp)).toBeGreaterThanOrEqual(1);
    expect(Math.abs(Number(later.timestamp) * 1_000 - Date.now())).toBeLessThan(3_000);
  });

  test('has its state and its time after a stop and a start', async () => {
    const first = await start();
    await setBalance(first, 5);
    await first.stop();
    expect(await first.exited).toMatchObject({ code: 0 });
    expect(await readProcessRecord(anvilRecordFile(directory))).toBeUndefined();
    await aMoment(2_000);
    const second = await start();
    expect(await balance(second)).toBe(5);
    await rpc(second.url, 'evm_mine');
    const { timestamp } = (await rpc(second.url, 'eth_getBlockByNumber', ['latest', false])) as { timestamp: string };
    expect(Math.abs(Number(timestamp) * 1_000 - Date.now())).toBeLessThan(3_000);
  });

  test('is on disk a moment after a transaction, whole at any time', async () => {
    const anvil = await start();
    const [from] = (await rpc(anvil.url, 'eth_accounts')) as [string];
    const file = anvilStateFile(directory);
    const holds = (): boolean => {
      try {
        return 'accounts' in (JSON.parse(readFileSync(file, 'utf8')) as object);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
        throw error;
      }
    };
    await rpc(anvil.url, 'eth_sendTransaction', [{ from, to: someone, value: '0x7' }]);
    await eventually('the first save', holds, 10_000);
    const looks: boolean[] = [];
    const looking = setInterval(() => looks.push(holds()), 1);
    for (let round = 0; round < 20; round += 1) await anvil.save();
    clearInterval(looking);
    expect(looks.length).toBeGreaterThan(20);
    expect(looks).not.toContain(false);
    process.kill(anvil.pid, 'SIGKILL');
    expect(await anvil.exited).toMatchObject({ signal: 'SIGKILL' });
    await anvil.stop();
    expect(await balance(await start())).toBe(7);
  });

  test('uses the port it is given', async () => {
    const { port } = await start();
    await started.pop()?.stop();
    expect((await start({ port })).url).toBe(`http://127.0.0.1:${port}`);
  });
});

describe('a start of a local chain', () => {
  test('clears away what earlier ones have left in its cache', async () => {
    const cache = anvilCacheFolder(directory);
    mkdirSync(join(cache, 'anvil-state-of-an-earlier-start'), { recursive: true });
    await start();
    expect(readdirSync(cache)).not.toContain('anvil-state-of-an-earlier-start');
  });

  test('says that the port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(start({ port })).rejects.toEqual(
      pouwError('port_in_use', { message: textWith(`${port}`), hint: textWith('another port') }),
    );
    await new Promise((resolve) => server.close(resolve));
  });

  test('says that there is no anvil', async () => {
    await expect(start({ binary: scratch.file('no-anvil') })).rejects.toEqual(
      pouwError('anvil_missing', { hint: textWith('npm ci') }),
    );
  });

  test('passes on what anvil said when it ended at once', async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(anvilStateFile(directory), '{"half": ');
    await expect(start()).rejects.toEqual(pouwError('anvil_failed', { why: textWith('state.json') }));
  });

  test('says that the folder cannot be made', async () => {
    writeFileSync(directory, 'a file');
    await expect(start()).rejects.toEqual(pouwError('data_unwritable', { why: textWith('ENOTDIR') }));
  });

  test('stops an anvil left over by a killed pouw, keeps its state and says so', async () => {
    const { owner, pid, port } = await startElsewhere();
    await setBalance({ url: `http://127.0.0.1:${port}` }, 9);
    owner.kill('SIGKILL');
    await new Promise((resolve) => owner.once('exit', resolve));
    expect(await isRunning(pid)).toBe(true);
    const told: StaleAnvil[] = [];
    const anvil = await start({ port, onStale: (stale) => told.push(stale) });
    expect(told).toEqual([{ pid, saved: true }]);
    expect(await isRunning(pid)).toBe(false);
    expect(await balance(anvil)).toBe(9);
  });

  test('stops an anvil that nothing names, of a pouw that was killed right after it had started it', async () => {
    const { owner, pid } = await startElsewhere();
    owner.kill('SIGKILL');
    await new Promise((resolve) => owner.once('exit', resolve));
    rmSync(anvilRecordFile(directory));
    const told: StaleAnvil[] = [];
    await start({ onStale: (stale) => told.push(stale) });
    expect(told).toEqual([{ pid, saved: false }]);
    expect(await isRunning(pid)).toBe(false);
  });

  test('knows an anvil by its record where the folder has another name by now', async () => {
    const { owner, pid } = await startElsewhere();
    owner.kill('SIGKILL');
    await new Promise((resolve) => owner.once('exit', resolve));
    const moved = scratch.file('moved');
    renameSync(directory, moved);
    const link = scratch.file('link');
    symlinkSync(moved, link);
    const told: StaleAnvil[] = [];
    const anvil = await start({ directory: link, onStale: (stale) => told.push(stale) });
    expect(told).toMatchObject([{ pid }]);
    expect(await isRunning(pid)).toBe(false);
    expect(await readProcessRecord(anvilRecordFile(moved))).toMatchObject({ pid: anvil.pid });
  });

  test('leaves the anvil of a network that runs alone, on a folder that had the name before', async () => {
    const { owner, pid } = await startElsewhere();
    renameSync(directory, scratch.file('moved'));
    const told: StaleAnvil[] = [];
    await start({ onStale: (stale) => told.push(stale) });
    expect(told).toEqual([]);
    expect(await isRunning(pid)).toBe(true);
    owner.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
  });

  test('leaves a program alone that has the number of its anvil by now, whatever that reads', async () => {
    mkdirSync(directory, { recursive: true });
    const file = anvilRecordFile(directory);
    writeFileSync(file, '');
    const other = spawn('tail', ['-f', file]);
    children.push(other);
    const gone = { pid: 1, command: 'long gone' };
    await writeProcessRecord(file, { pid: other.pid ?? 0, port: 1, owner: gone, command: 'anvil --host 127.0.0.1' });
    await start();
    expect(await isRunning(other.pid ?? 0)).toBe(true);
  });

  test('leaves other programs alone that have its folder in their command lines', async () => {
    const other = spawn('sh', ['-c', `sleep 60; : anvil --host --cache-path ${anvilCacheFolder(directory)} ;`]);
    children.push(other);
    await start();
    expect(await isRunning(other.pid ?? 0)).toBe(true);
  });

  test('says which anvil runs before that one answers', async () => {
    const anvil = scratch.file('slow-anvil');
    writeFileSync(anvil, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    const starting = start({ binary: anvil }).catch((error: unknown) => error);
    const recorded = async (): Promise<number> => (await readProcessRecord(anvilRecordFile(directory)))?.pid ?? 0;
    await expect.poll(recorded, { timeout: 10_000, interval: 10 }).toBeGreaterThan(0);
    process.kill(await recorded(), 'SIGKILL');
    expect(await starting).toEqual(pouwError('anvil_failed', { why: textWith('SIGKILL') }));
  });

  test('does not touch the anvil of a pouw that runs', async () => {
    const { owner, pid } = await startElsewhere();
    await expect(start()).rejects.toEqual(pouwError('chain_in_use', { class: 'conflict' }));
    expect(await isRunning(pid)).toBe(true);
    expect(owner.exitCode).toBeNull();
  });

  test('leaves a process alone that has the number of an anvil of long ago', async () => {
    const other = spawn('sleep', ['60']);
    children.push(other);
    mkdirSync(directory, { recursive: true });
    const pid = other.pid ?? 0;
    await writeProcessRecord(anvilRecordFile(directory), { pid, port: 1, owner: { pid: 1, command: 'long gone' } });
    const anvil = await start();
    expect(await isRunning(pid)).toBe(true);
    expect(await readProcessRecord(anvilRecordFile(directory))).toMatchObject({ pid: anvil.pid, port: anvil.port });
  });

  const owner = { pid: 1, command: '' };
  test.each<unknown>([
    { pid: 'x' },
    { pid: -1, port: 99_999_999, owner },
    { pid: 0, port: 1, owner },
    { pid: 1, port: 65_536, owner },
    { pid: 1, port: 1, owner: { ...owner, pid: -1 } },
  ])('does not mind a record that cannot be read: %j', async (record) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(anvilRecordFile(directory), JSON.stringify(record));
    expect((await start()).port).toBeGreaterThan(0);
  });
});
