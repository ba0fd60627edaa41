import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findNatsServer } from '../../src/adapters/nats/server/find-server.ts';
import {
  type NatsCluster,
  type NatsClusterOptions,
  startNatsCluster,
} from '../../src/adapters/nats/server/server-cluster.ts';
import {
  type NatsServer,
  type NatsServerOptions,
  startNatsServer,
} from '../../src/adapters/nats/server/server-process.ts';
import { clearStaleNats } from '../../src/adapters/nats/server/server-record.ts';
import { isOwnedByAnother, type ProcessOwner, thisOwner } from '../../src/adapters/process/running-process.ts';
import { defaultCacheFolder } from '../../src/cli/cache-folder.ts';

/** Where the servers of all test processes have their folders, so that one finds what another one left behind. */
const parent = join(tmpdir(), 'pouw-test-nats');
const ownerFile = 'owner.json';
let program: Promise<string> | undefined;

/** The server program for tests; fetched where the machine has none. @throws PouwError `nats_server_missing`. */
export function natsProgram(): Promise<string> {
  program ??= findNatsServer({ cacheFolder: defaultCacheFolder() }).then(({ path }) => path);
  return program;
}

/** A folder for servers that is removed when the test process does it, or by a later one where it was killed. */
export async function natsFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  await mkdir(parent, { recursive: true });
  await sweep();
  const path = await mkdtemp(join(parent, 'run-'));
  await writeFile(join(path, ownerFile), JSON.stringify(await thisOwner()));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * One real server for the tests of a file, on free ports and with an empty store: started by the first call, stopped
 * and removed after the file's last test. Call this at the top of the file.
 *
 * @example
 * const nats = sharedNatsServer();
 * test('…', async () => { const { url } = await nats(); });
 */
export function sharedNatsServer(options: Partial<NatsServerOptions> = {}): () => Promise<NatsServer> {
  return shared(async (directory) => startNatsServer({ program: await natsProgram(), ...options, directory }));
}

/** Three real servers that act as one, for the tests of a file. Call this at the top of the file. */
export function sharedNatsCluster(options: Partial<NatsClusterOptions> = {}): () => Promise<NatsCluster> {
  return shared(async (directory) => startNatsCluster({ program: await natsProgram(), ...options, directory }));
}

function shared<Running extends { stop(): Promise<void> }>(
  start: (directory: string) => Promise<Running>,
): () => Promise<Running> {
  let started: Promise<{ readonly running: Running; readonly remove: () => Promise<void> }> | undefined;
  afterAll(async () => {
    // What kept it from starting, the tests have said.
    const { running, remove } = (await started?.catch(() => undefined)) ?? {};
    await running?.stop();
    await remove?.();
  });
  return async () => {
    started ??= startIn(start);
    return (await started).running;
  };
}

async function startIn<Running>(
  start: (directory: string) => Promise<Running>,
): Promise<{ readonly running: Running; readonly remove: () => Promise<void> }> {
  const { path, remove } = await natsFolder();
  try {
    return { running: await start(join(path, 'nats')), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Stops servers, and removes folders, of test processes that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const owner = await ownerOf(path);
    // A folder without an owner is one that somebody makes or removes at this moment.
    if (owner === undefined || owner.pid === process.pid || (await isOwnedByAnother(owner))) continue;
    for (const directory of await serverFolders(path)) await clearStaleNats(directory);
    await rm(path, { recursive: true, force: true });
  }
}

async function ownerOf(path: string): Promise<ProcessOwner | undefined> {
  try {
    return JSON.parse(await readFile(join(path, ownerFile), 'utf8')) as ProcessOwner;
  } catch {
    return undefined;
  }
}

/** A server's folder is one level deep, or two for a member of a cluster. */
async function serverFolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter(({ name }) => name === 'server.json').map(({ parentPath }) => parentPath);
}
