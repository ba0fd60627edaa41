import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHeliaContentStore, type HeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import type { HeliaNodeOptions } from '../../src/adapters/ipfs/helia-node.ts';
import { contentCid } from '../../src/core/cid.ts';
import { contentStoreFeatures } from './content-store.features.ts';

const timeoutMs = 5_000;
const code = (expected: string): unknown => expect.objectContaining({ name: 'PouwError', code: expected });

let directory: string;
let stores: HeliaContentStore[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pouw-content-'));
});

afterEach(async () => {
  await Promise.allSettled(stores.map((store) => store.close()));
  stores = [];
  await rm(directory, { recursive: true, force: true });
});

async function open(options: HeliaNodeOptions = { directory }): Promise<HeliaContentStore> {
  const store = await createHeliaContentStore(options);
  stores.push(store);
  return store;
}

async function blockFiles(): Promise<string[]> {
  const entries = await readdir(join(directory, 'blocks'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Prints which packages are loaded by opening a store. */
const packagesOfStore = `
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      packages.add(resolved.url.match(/.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/)?.[1]);
      return resolved;
    },
  });
  const { createHeliaContentStore } = await import('./src/adapters/ipfs/content-store.ts');
  const store = await createHeliaContentStore();
  await store.put({ some: 'thing' });
  await store.close();
  console.log(JSON.stringify([...packages]));
`;

it('helia without a network of its own loads none', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', packagesOfStore], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const packages = JSON.parse(stdout) as string[];
  expect(packages).toContain('helia');
  for (const network of ['libp2p', '@helia/libp2p', '@helia/bitswap', '@helia/http'])
    expect(packages).not.toContain(network);
});

contentStoreFeatures('helia in memory', () => createHeliaContentStore());
contentStoreFeatures('helia on disk', () => createHeliaContentStore({ directory }));

describe('helia on disk', () => {
  it('keeps content and pins over a restart', async () => {
    const first = await open();
    const cids = await Promise.all(Array.from({ length: 100 }, (_, index) => first.put({ index })));
    await first.close();
    const second = await open();
    for (const [index, cid] of cids.entries()) {
      expect(await second.has(cid)).toBe(true);
      expect(await second.get(cid, { timeoutMs })).toEqual({ index });
    }
  });

  it('keeps one file per block under blocks/, which holds the value as canonical JSON', async () => {
    const store = await open();
    await store.put({ b: 1, a: 'é' });
    await store.flush();
    const files = await blockFiles();
    expect(files).toHaveLength(1);
    expect(await readFile(files[0] as string, 'utf8')).toBe('{"a":"é","b":1}');
  });

  it('has flushed blocks and pins on disk although the store was never closed', async () => {
    const store = await open();
    const cid = await store.put({ flushed: true });
    await store.flush();
    const other = await open();
    expect(await other.has(cid)).toBe(true);
    expect(await other.get(cid, { timeoutMs })).toEqual({ flushed: true });
  });

  it('says content_corrupt where a byte of a block has changed, and put repairs it', async () => {
    const first = await open();
    const cid = await first.put({ text: 'the truth' });
    await first.flush();
    const file = (await blockFiles())[0] as string;
    for (const store of [first, await open()]) {
      await writeFile(file, (await readFile(file, 'utf8')).replace('truth', 'lie!!'));
      await expect(store.get(cid, { timeoutMs })).rejects.toEqual(code('content_corrupt'));
      await store.put({ text: 'the truth' });
      await store.flush();
      expect(await store.get(cid, { timeoutMs })).toEqual({ text: 'the truth' });
    }
  });

  it('says content_corrupt where a block was cut or emptied', async () => {
    const store = await open();
    const cid = await store.put({ text: 'x'.repeat(1_000) });
    await store.flush();
    const file = (await blockFiles())[0] as string;
    for (const length of [500, 0]) {
      await writeFile(file, (await readFile(file)).subarray(0, length));
      await expect(store.get(cid, { timeoutMs })).rejects.toEqual(code('content_corrupt'));
    }
  });

  it('says content_too_large where a block on disk is over the limit', async () => {
    const store = await open();
    const cid = await store.put('small');
    await store.flush();
    await writeFile((await blockFiles())[0] as string, Buffer.alloc(3_000_000));
    await expect(store.get(cid, { timeoutMs })).rejects.toEqual(code('content_too_large'));
  });

  it('does not hold a block whose file is gone', async () => {
    const store = await open();
    const cid = await store.put('here today');
    await store.flush();
    await rm((await blockFiles())[0] as string);
    expect(await store.has(cid)).toBe(false);
    await expect(store.get(cid, { timeoutMs: 20 })).rejects.toEqual(code('content_not_found'));
  });

  it('tells flush when a block cannot be written, keeps it readable, and writes it once it can', async () => {
    const store = await open();
    const cid = contentCid({ unlucky: 1 });
    // A file where the block's folder has to be: the one obstacle that stops root too.
    const probe = await open({ directory: join(directory, 'probe') });
    await probe.put({ unlucky: 1 });
    await probe.flush();
    const [shard] = await readdir(join(directory, 'probe', 'blocks'));
    const obstacle = join(directory, 'blocks', shard as string);
    await writeFile(obstacle, '');
    expect(await store.put({ unlucky: 1 })).toBe(cid);
    await expect(store.flush()).rejects.toEqual(code('content_write_failed'));
    expect(await store.get(cid, { timeoutMs })).toEqual({ unlucky: 1 });
    await rm(obstacle);
    await store.flush();
    await store.close();
    const again = await open();
    expect(await again.get(cid, { timeoutMs })).toEqual({ unlucky: 1 });
  });

  it('refuses a directory it cannot use, and pins it cannot read', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(open({ directory: join(directory, 'file') })).rejects.toEqual(code('content_directory_unusable'));
    await writeFile(join(directory, 'pins.db'), 'not a database, by no means, in no way whatsoever'.repeat(100));
    await expect(open()).rejects.toEqual(code('content_directory_unusable'));
  });
});

describe('helia with libp2p', () => {
  const loopback = { libp2p: { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false } };

  it('fetches from a peer, also what the peer puts later', async () => {
    const [alice, bob] = await Promise.all([open({ directory, ...loopback }), open(loopback)]);
    await bob.connect(alice.addresses()[0] as string);
    const cid = await alice.put({ from: 'alice' });
    await alice.flush();
    expect(await bob.get(cid, { timeoutMs })).toEqual({ from: 'alice' });
    const later = bob.get(contentCid({ later: true }), { timeoutMs });
    await alice.put({ later: true });
    expect(await later).toEqual({ later: true });
    await expect(bob.get(contentCid('nobody has it'), { timeoutMs: 300 })).rejects.toEqual(code('content_not_found'));
  }, 20_000);

  it('is off by default: a light node has no address and connects to nobody', async () => {
    const store = await open();
    expect(store.addresses()).toEqual([]);
    await expect(store.connect('/ip4/127.0.0.1/tcp/1')).rejects.toEqual(code('content_offline'));
  });
});
