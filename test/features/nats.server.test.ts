import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import {
  type NatsServer,
  type NatsServerOptions,
  startNatsServer,
} from '../../src/adapters/nats/server/server-process.ts';
import { natsConfigFile, natsRecordFile } from '../../src/adapters/nats/server/server-record.ts';
import {
  type ProcessRecord,
  readProcessRecord,
  writeProcessRecord,
} from '../../src/adapters/process/process-record.ts';
import { isRunning, thisOwner } from '../../src/adapters/process/running-process.ts';
import { natsFolder, natsProgram } from '../kit/nats-server.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';

let program: string;
let folder: Awaited<ReturnType<typeof natsFolder>>;
let directory: string;
const servers: NatsServer[] = [];
const links: NatsLink[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  program = await natsProgram();
});
beforeEach(async () => {
  folder = await natsFolder();
  directory = join(folder.path, 'nats');
});
afterEach(async () => {
  for (const server of servers) server.resume();
  for (const link of links.splice(0)) await link.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop();
  const left = await readProcessRecord(natsRecordFile(directory));
  if (left !== undefined && left.pid !== process.pid && (await isRunning(left.pid))) process.kill(left.pid, 'SIGKILL');
  await folder.remove();
});

async function start(options: Partial<NatsServerOptions> = {}): Promise<NatsServer> {
  const server = await startNatsServer({ program, directory, ...options });
  servers.push(server);
  return server;
}

async function connect({ url }: { readonly url: string }): Promise<NatsLink> {
  const link = await connectNats({ servers: url, name: 'test' });
  links.push(link);
  return link;
}

/** Stores a message and returns how many there are. */
async function store(link: NatsLink, text: string): Promise<number> {
  const manager = await jetstreamManager(link.connection);
  await manager.streams.add({ name: 'test', subjects: ['test.>'] });
  return (await jetstream(link.connection).publish('test.a', text)).seq;
}

/** Starts a server in another process and returns both. */
async function startElsewhere(): Promise<{
  readonly owner: ChildProcess;
  readonly pid: number;
  readonly url: string;
}> {
  const script = new URL('nats-owner.ts', import.meta.url).pathname;
  const owner = spawn(process.execPath, [script, program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(owner);
  let output = '';
  owner.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually('the other process', () => output.endsWith('\n'), 20_000);
  return { owner, ...(JSON.parse(output) as { pid: number; url: string }) };
}

describe('a local NATS server', () => {
  test('serves when it has started and is gone when it has stopped', async () => {
    const server = await start();
    expect(await server.isReady()).toBe(true);
    const { connection } = await connect(server);
    expect(connection.info).toMatchObject({ jetstream: true, host: '127.0.0.1' });
    const { pid } = server;
    await server.stop();
    expect(await isRunning(pid!)).toBe(false);
    expect([server.pid, await server.isReady(), await readProcessRecord(natsRecordFile(directory))]).toEqual([
      undefined,
      false,
      undefined,
    ]);
    await server.stop();
  });

  test('keeps its ports and what it has stored when it is restarted or killed', async () => {
    const server = await start();
    expect(await store(await connect(server), 'before')).toBe(1);
    const { url, pid } = server;
    await server.restart();
    expect([server.url, server.pid === pid]).toEqual([url, false]);
    expect(await store(await connect(server), 'after a restart')).toBe(2);
    await server.kill();
    await server.restart();
    expect(await store(await connect(server), 'after a kill')).toBe(3);
  });

  test('does not answer while it is paused, and goes on afterwards', async () => {
    const server = await start();
    const { connection } = await connect(server);
    server.pause();
    await aMoment(100);
    let answered = false;
    const answer = connection.flush().then(() => (answered = true));
    await aMoment(100);
    expect(answered).toBe(false);
    server.resume();
    await answer;
    server.pause();
    await links.pop()?.close();
    await server.stop();
    expect(server.pid).toBeUndefined();
  });

  test('says when it ends without having been told to', async () => {
    const exits: unknown[] = [];
    const server = await start({ onLost: (exit) => void exits.push(exit) });
    process.kill(server.pid!, 'SIGKILL');
    await eventually('the end', () => exits.length === 1, 5_000);
    expect(exits).toEqual([{ code: null, signal: 'SIGKILL' }]);
    await server.restart();
    await server.stop();
    expect(exits).toHaveLength(1);
  });

  test('has a log, and only its owner can read its configuration', async () => {
    const server = await start();
    expect(readFileSync(server.logFile, 'utf8')).toContain('Server is ready');
    expect(statSync(natsConfigFile(directory)).mode & 0o777).toBe(0o600);
  });
});

describe('a server that cannot start', () => {
  test('names the port that somebody else has', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    try {
      await expect(start({ settings: { port } })).rejects.toEqual(
        pouwError('nats_server_failed', { why: textWith('address already in use') }),
      );
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
    const server = await start();
    expect(await server.isReady()).toBe(true);
  });

  test('says what is wrong with its configuration', async () => {
    await expect(start({ render: () => 'listen: {' })).rejects.toEqual(
      pouwError('nats_server_failed', { why: textWith('Parse error') }),
    );
  });

  test('is missing, or its folder cannot be made', async () => {
    await expect(start({ program: join(folder.path, 'nats-server') })).rejects.toEqual(
      pouwError('nats_server_missing'),
    );
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    await expect(start({ directory: join(file, 'nats') })).rejects.toEqual(pouwError('data_unwritable'));
  });

  test('is too broken to tell its version', async () => {
    const broken = join(folder.path, 'broken');
    writeFileSync(broken, '#!/bin/sh\nexit 3\n');
    chmodSync(broken, 0o755);
    await expect(start({ program: broken })).rejects.toEqual(
      pouwError('nats_server_failed', { why: textWith('It has ended.') }),
    );
  });
});

describe('a server left over from an earlier start', () => {
  test('is found and stopped when its owner was killed', async () => {
    const { owner, pid, url } = await startElsewhere();
    expect(await store(await connect({ url }), 'before')).toBe(1);
    owner.kill('SIGKILL');
    await eventually('the end of the owner', () => owner.signalCode !== null, 5_000);
    expect(await isRunning(pid)).toBe(true);
    const stale: Pick<ProcessRecord, 'pid'>[] = [];
    const server = await start({ onStale: (record) => void stale.push(record) });
    expect(stale).toMatchObject([{ pid }]);
    expect(await isRunning(pid)).toBe(false);
    expect(await store(await connect(server), 'after')).toBe(2);
  });

  test('is left alone while its owner runs, and by a second start of one owner', async () => {
    const { owner, pid } = await startElsewhere();
    await expect(start()).rejects.toEqual(pouwError('nats_in_use', { details: { pid: owner.pid } }));
    expect(await isRunning(pid)).toBe(true);
    owner.kill('SIGKILL');
    await eventually('the end of the owner', () => owner.signalCode !== null, 5_000);
    const server = await start();
    await expect(start()).rejects.toEqual(pouwError('nats_in_use', { details: { pid: process.pid } }));
    expect(await server.isReady()).toBe(true);
  });

  test('is nothing where the recorded process is something else by now', async () => {
    mkdirSync(directory);
    await writeProcessRecord(natsRecordFile(directory), { pid: process.pid, port: 1, owner: await thisOwner() });
    const stale: Pick<ProcessRecord, 'pid'>[] = [];
    const server = await start({ onStale: (record) => void stale.push(record) });
    expect([stale, await server.isReady()]).toEqual([[], true]);
  });

  test('is found by a later test process, whose folder it takes away too', async () => {
    const { owner, pid } = await startElsewhere();
    writeFileSync(join(folder.path, 'owner.json'), JSON.stringify({ pid: owner.pid, command: 'gone' }));
    owner.kill('SIGKILL');
    await eventually('the end of the owner', () => owner.signalCode !== null, 5_000);
    const other = await natsFolder();
    await other.remove();
    expect(await isRunning(pid)).toBe(false);
    expect(() => readFileSync(join(folder.path, 'owner.json'))).toThrow('ENOENT');
  });
});
