import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createHeliaContentStore,
  type HeliaContentStore,
  type HeliaContentStoreOptions,
} from '../../src/adapters/ipfs/content-store.ts';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { contentCid } from '../../src/core/cid.ts';
import { limits } from '../../src/core/limits.ts';
import { blockRangeSubject, blockWantSubject } from '../../src/messages/subjects.ts';
import { createBusBlockExchange } from '../../src/nodes/blocks/bus-block-exchange.ts';
import type { BlockExchange } from '../../src/ports/block-exchange.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { ContentStore } from '../../src/ports/content-store.ts';
import { silentLog } from '../../src/ports/log.ts';
import { blockOf, honestOffer, strangeHolder } from './block-exchange.harness.ts';
import { listen } from './bus.harness.ts';
import { contentStoreFeatures } from './content-store.features.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const timeoutMs = 10_000;

let directory: string;
let bus: Bus;
let exchanges: BlockExchange[] = [];
let stores: HeliaContentStore[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pouw-exchange-'));
  bus = createLocalBus();
});

afterEach(async () => {
  await Promise.allSettled(stores.map((store) => store.close()));
  await Promise.all(exchanges.map((exchange) => exchange.close()));
  await bus.drain();
  [stores, exchanges] = [[], []];
  await rm(directory, { recursive: true, force: true });
});

function joinBus(peer: string): BlockExchange {
  const exchange = createBusBlockExchange({ bus, clock: systemClock, log: silentLog, peer });
  exchanges.push(exchange);
  return exchange;
}

async function open(options: HeliaContentStoreOptions): Promise<HeliaContentStore> {
  const store = await createHeliaContentStore(options);
  stores.push(store);
  return store;
}

/** The store of a process on the bus, in a directory of its own. */
function openOnBus(peer: string): Promise<HeliaContentStore> {
  return open({ directory: join(directory, peer), exchange: joinBus(peer) });
}

async function blockFile(peer: string): Promise<string> {
  const entries = await readdir(join(directory, peer, 'blocks'), { recursive: true, withFileTypes: true });
  const file = entries.find((entry) => entry.isFile());
  return join(file?.parentPath ?? '', file?.name ?? '');
}

/** Puts at one process, gets at another. */
function pairOf(writer: ContentStore, reader: ContentStore): ContentStore {
  return {
    cidOf: (value) => writer.cidOf(value),
    put: (value) => writer.put(value),
    get: (cid, options) => reader.get(cid, options),
    has: (cid) => writer.has(cid),
    flush: () => writer.flush(),
    close: async () => void (await Promise.all([reader.close(), writer.close()])),
  };
}

let pairs = 0;

contentStoreFeatures('helia in memory, put at one process and got at another', async () => {
  pairs += 1;
  const [writer, reader] = [`a${pairs}`, `b${pairs}`];
  return pairOf(await open({ exchange: joinBus(writer) }), await open({ exchange: joinBus(reader) }));
});

contentStoreFeatures('helia on disk, put at one process and got at another', async () => {
  pairs += 1;
  return pairOf(await openOnBus(`a${pairs}`), await openOnBus(`b${pairs}`));
});

describe('helia with an exchange', () => {
  it('holds and pins what it got from another process, and keeps it without that one', async () => {
    const [alice, bob] = [await openOnBus('alice'), await openOnBus('bob')];
    const cid = await alice.put({ from: 'alice' });
    expect(await bob.has(cid)).toBe(false);
    expect(await bob.get(cid, { timeoutMs })).toEqual({ from: 'alice' });
    expect(await bob.has(cid)).toBe(true);
    await bob.flush();
    await alice.close();
    const alone = await open({ directory: join(directory, 'bob') });
    expect(await alone.has(cid)).toBe(true);
    expect(await alone.get(cid, { timeoutMs })).toEqual({ from: 'alice' });
  });

  it('does not hold what it only asked for', async () => {
    const bob = await openOnBus('bob');
    const cid = contentCid('nobody has it');
    await expect(bob.get(cid, { timeoutMs: 100 })).rejects.toEqual(pouwError('content_not_found'));
    expect(await bob.has(cid)).toBe(false);
  });

  it('hands on what it got to a third', async () => {
    const [alice, bob, carol] = [await openOnBus('alice'), await openOnBus('bob'), await openOnBus('carol')];
    const cid = await alice.put('told');
    await bob.get(cid, { timeoutMs });
    await alice.close();
    expect(await carol.get(cid, { timeoutMs })).toBe('told');
  });

  it('serves what is not yet on the disk, and what was there before it was opened', async () => {
    const first = await openOnBus('alice');
    const old = await first.put('old');
    await first.close();
    const alice = await open({ directory: join(directory, 'alice'), exchange: joinBus('alice-again') });
    const bob = await openOnBus('bob');
    const fresh = await alice.put('fresh');
    expect(await bob.get(fresh, { timeoutMs })).toBe('fresh');
    expect(await bob.get(old, { timeoutMs })).toBe('old');
  });

  it('fetches a block once, however many get it', async () => {
    const [alice, bob] = [await openOnBus('alice'), await openOnBus('bob')];
    const ranges = listen(bus, blockRangeSubject('alice', '*'));
    const cid = await alice.put({ wanted: 'by many' });
    const got = await Promise.all(Array.from({ length: 20 }, () => bob.get(cid, { timeoutMs })));
    expect(got).toEqual(Array.from({ length: 20 }, () => ({ wanted: 'by many' })));
    expect(ranges).toHaveLength(1);
    await bob.flush();
    expect(await bob.get(cid, { timeoutMs })).toEqual({ wanted: 'by many' });
    expect(ranges).toHaveLength(1);
  });

  it('stops asking once the value is put here', async () => {
    const bob = await openOnBus('bob');
    const wants = listen(bus, blockWantSubject('*', '*'));
    const got = bob.get(contentCid('mine'), { timeoutMs });
    await eventually('a want', () => wants.length > 0, timeoutMs);
    await bob.put('mine');
    expect(await got).toBe('mine');
    const asked = wants.length;
    // The next want would have come within this time.
    await aMoment(1.5 * limits.blockRetryMsMin * 2 ** asked);
    expect(wants).toHaveLength(asked);
  });

  it('gets a block at the bound and many others at once', async () => {
    const [alice, bob] = [await openOnBus('alice'), await openOnBus('bob')];
    const largest = 'x'.repeat(limits.contentBytesMax - 2);
    const values = [largest, ...Array.from({ length: 200 }, (_, index) => 'y'.repeat(index * 100))];
    const cids = await Promise.all(values.map((value) => alice.put(value)));
    const got = await Promise.all(cids.map((cid) => bob.get(cid, { timeoutMs })));
    expect(got.map((value) => (value as string).length)).toEqual(values.map(({ length }) => length));
    await bob.flush();
    expect(await Promise.all(cids.map((cid) => bob.has(cid)))).not.toContain(false);
  });

  it('does not serve a block that is damaged', async () => {
    const [alice, bob, carol] = [await openOnBus('alice'), await openOnBus('bob'), await openOnBus('carol')];
    const cid = await alice.put({ text: 'the truth' });
    await alice.flush();
    const file = await blockFile('alice');
    await writeFile(file, (await readFile(file, 'utf8')).replace('truth', 'lie!!'));
    const ranges = listen(bus, blockRangeSubject('alice', '*'));
    await expect(bob.get(cid, { timeoutMs: 200 })).rejects.toEqual(pouwError('content_not_found'));
    expect(ranges).toEqual([]);
    await carol.put({ text: 'the truth' });
    expect(await bob.get(cid, { timeoutMs })).toEqual({ text: 'the truth' });
  });

  it('repairs a block that is damaged here from another process', async () => {
    const [alice, bob] = [await openOnBus('alice'), await openOnBus('bob')];
    const cid = await alice.put({ text: 'the truth' });
    await bob.get(cid, { timeoutMs });
    await bob.flush();
    const file = await blockFile('bob');
    await writeFile(file, (await readFile(file, 'utf8')).replace('truth', 'lie!!'));
    expect(await bob.get(cid, { timeoutMs })).toEqual({ text: 'the truth' });
    await bob.flush();
    expect(await readFile(file, 'utf8')).toBe('{"text":"the truth"}');
  });

  it('says content_corrupt where nobody has the block that is damaged here', async () => {
    const bob = await openOnBus('bob');
    const cid = await bob.put({ text: 'the truth' });
    await bob.flush();
    await writeFile(await blockFile('bob'), '{"text":"the lie!!"}');
    await expect(bob.get(cid, { timeoutMs: 100 })).rejects.toEqual(pouwError('content_corrupt'));
  });

  it('takes wrong bytes from nobody', async () => {
    const block = blockOf({ text: 'the truth' });
    const { asked } = strangeHolder(bus, 'mallory', {
      offer: honestOffer(block),
      answer: (_range, { respond }) =>
        respond(new Uint8Array([0, 0, 0, block.data.length, ...block.data.toReversed()])),
    });
    const [alice, bob] = [await openOnBus('alice'), await openOnBus('bob')];
    await expect(bob.get(block.cid, { timeoutMs: 200 })).rejects.toEqual(pouwError('content_not_found'));
    expect(asked.length).toBeGreaterThan(0);
    await alice.put({ text: 'the truth' });
    expect(await bob.get(block.cid, { timeoutMs })).toEqual({ text: 'the truth' });
  });

  it('says why where the exchange or the bus is closed, but has what is here', async () => {
    const exchange = joinBus('bob');
    const bob = await open({ exchange });
    const cid = await bob.put('here');
    await exchange.close();
    const elsewhere = bob.get(contentCid('elsewhere'), { timeoutMs });
    await expect(elsewhere).rejects.toEqual(
      pouwError('content_closed', { message: 'The exchange of content is closed.' }),
    );
    expect(await bob.get(cid, { timeoutMs })).toBe('here');
    const carol = await open({ exchange: joinBus('carol') });
    await bus.drain();
    await expect(carol.get(cid, { timeoutMs })).rejects.toEqual(pouwError('bus_closed'));
  });

  it('has and serves what came although it cannot be written, tells flush, and writes it once it can', async () => {
    const [alice, bob, carol] = [await openOnBus('alice'), await openOnBus('bob'), await openOnBus('carol')];
    const cid = await alice.put('no room');
    const blocks = join(directory, 'bob', 'blocks');
    await rm(blocks, { recursive: true });
    await writeFile(blocks, '');
    expect(await bob.get(cid, { timeoutMs })).toBe('no room');
    expect(await bob.has(cid)).toBe(true);
    await expect(bob.flush()).rejects.toEqual(pouwError('content_write_failed'));
    await alice.close();
    expect(await carol.get(cid, { timeoutMs })).toBe('no room');
    await rm(blocks);
    await bob.flush();
    expect(await readFile(await blockFile('bob'), 'utf8')).toBe('"no room"');
  });

  it('lets an outside IPFS node have over libp2p what came over the bus', async () => {
    const loopback = { libp2p: { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false } };
    const alice = await openOnBus('alice');
    const bob = await open({ ...loopback, exchange: joinBus('bob') });
    const outside = await open(loopback);
    await outside.connect(bob.addresses()[0] as string);
    const cid = await alice.put({ from: 'alice' });
    expect(await bob.get(cid, { timeoutMs })).toEqual({ from: 'alice' });
    await bob.flush();
    expect(await outside.get(cid, { timeoutMs })).toEqual({ from: 'alice' });
    const other = await outside.put({ from: 'outside' });
    await outside.flush();
    expect(await bob.get(other, { timeoutMs })).toEqual({ from: 'outside' });
    await bob.flush();
    expect(await alice.get(other, { timeoutMs })).toEqual({ from: 'outside' });
  }, 20_000);

  it('leaves the exchange open when it is closed', async () => {
    const exchange = joinBus('bob');
    const bob = await open({ exchange });
    await bob.close();
    const again = await open({ exchange });
    const alice = await openOnBus('alice');
    expect(await alice.get(await again.put('again'), { timeoutMs })).toBe('again');
  });
});
