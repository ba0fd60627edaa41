import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { present } from '../../src/core/assert.ts';
import { sha256 } from '../../src/core/hash.ts';
import type { Cid } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { createBusBlockExchange } from '../../src/nodes/blocks/bus-block-exchange.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { ContentStore } from '../../src/ports/content-store.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';

/** What prompts and results cost as IPFS blocks. */
export const content: Figure = {
  name: 'content',
  title: 'values of 1 KiB put and got per second: CID, block, pin',
  run: measure,
};

/** What is got from another store. */
interface Exchanged {
  readonly rounds: number;
  readonly count: number;
  /** Of each value. */
  readonly bytes: number;
  /** What the row is called. */
  readonly row: string;
}

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 9;
  const count = quick ? 16 : 128;
  const bus = createLocalBus();
  const [store, other] = [await openOnBus(bus, scratch, 'a'), await openOnBus(bus, scratch, 'b')];
  try {
    const small = { rounds, count, bytes: 1_024, row: 'get from another store, one after another' };
    // The text of a block of the largest size, and what stands around it.
    const bytes = limits.contentBytesMax - 64;
    const large = { rounds, count: quick ? 1 : 4, bytes, row: 'get 2 MiB from another store' };
    const rows = [
      ...(await measureStore(store.content, { rounds, count, scratch, onStep })),
      await measureExchange(store.content, other.content, { ...small, onStep }),
      await measureExchange(store.content, other.content, { ...large, onStep }),
    ];
    return {
      rows,
      notes: [
        'A put answers once the CID is known; what is timed there is until everything is on the disk and pinned.',
        'The other store is in this process, behind the bus; what is got from it is checked, stored and pinned here too.',
      ],
    };
  } finally {
    await Promise.all([store.close(), other.close()]);
    await bus.drain();
  }
}

/** The content of a process that is alone with its folder, and not alone on the bus. */
async function openOnBus(
  bus: Bus,
  scratch: string,
  peer: string,
): Promise<{ readonly content: ContentStore; readonly close: () => Promise<void> }> {
  const exchange = createBusBlockExchange({ bus, clock: systemClock, log: silentLog, peer });
  const store = await createHeliaContentStore({ directory: join(scratch, peer), exchange });
  const close = async (): Promise<void> => {
    await store.close();
    await exchange.close();
  };
  return { content: store, close };
}

let made = 0;

/** A value that never was, of about `bytes` bytes. */
function freshValue(bytes: number): { text: string } {
  made += 1;
  return { text: sha256(String(made)).repeat(bytes / 64) };
}

async function putFresh(store: ContentStore, count: number, bytes: number): Promise<Cid[]> {
  const stored = await Promise.all(Array.from({ length: count }, () => store.put(freshValue(bytes))));
  await store.flush();
  return stored;
}

async function measureStore(
  store: ContentStore,
  { rounds, count, scratch, onStep }: { rounds: number; count: number } & Omit<FigureOptions, 'quick'>,
): Promise<Row[]> {
  const values = (): { text: string }[] => Array.from({ length: count }, () => freshValue(1_024));
  let stored: Cid[] = [];
  let files: string[] = [];
  const samples = await interleave(rounds, {
    put: async (round) => {
      onStep(`round ${round}`);
      const fresh = values();
      return perSecond(count, async () => {
        stored = await Promise.all(fresh.map((value) => store.put(value)));
        await store.flush();
      });
    },
    rawPut: async () => {
      const fresh = values();
      return perSecond(count, async () => {
        files = await Promise.all(fresh.map((value) => writeDurably(scratch, JSON.stringify(value))));
      });
    },
    get: () => perSecond(count, () => getAll(store, stored)),
    rawGet: () =>
      perSecond(count, async () => {
        for (const file of files) JSON.parse(await readFile(file, 'utf8'));
      }),
  });
  return [
    compared(
      { what: `put, ${count} at a time, durable`, unit: 'values/s', against: 'a file each: write, fsync, rename' },
      samples.put,
      samples.rawPut,
    ),
    compared(
      { what: 'get, one after another', unit: 'values/s', against: 'readFile and JSON.parse, no check' },
      samples.get,
      samples.rawGet,
    ),
  ];
}

/** Gets what another store has, against getting as much from the store that has it. */
async function measureExchange(
  owner: ContentStore,
  other: ContentStore,
  { rounds, count, bytes, onStep, row }: Pick<FigureOptions, 'onStep'> & Exchanged,
): Promise<Row> {
  const samples = await interleave(rounds, {
    fetched: async (round) => {
      onStep(`from another store, round ${round}`);
      const stored = await putFresh(owner, count, bytes);
      const rate = await perSecond(count, () => getAll(other, stored));
      await other.flush();
      return rate;
    },
    own: async () => {
      const stored = await putFresh(owner, count, bytes);
      return perSecond(count, () => getAll(owner, stored));
    },
  });
  return compared({ what: row, unit: 'values/s', against: 'get from the own store' }, samples.fetched, samples.own);
}

async function getAll(store: ContentStore, stored: readonly Cid[]): Promise<void> {
  for (const cid of stored) await store.get(cid, { timeoutMs: 10_000 });
}

let written = 0;

async function writeDurably(directory: string, text: string): Promise<string> {
  written += 1;
  const file = join(directory, `${written}.json`);
  const handle = await open(`${file}.new`, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  return present(file, 'a file');
}
