import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createHeliaContentStore } from '../../src/adapters/ipfs/content-store.ts';
import { present } from '../../src/core/assert.ts';
import { sha256 } from '../../src/core/hash.ts';
import type { Cid } from '../../src/core/ids.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';

/** What prompts and results cost as IPFS blocks. */
export const content: Figure = {
  name: 'content',
  title: 'values of 1 KiB put and got per second: CID, block, pin',
  run: measure,
};

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 9;
  const count = quick ? 16 : 128;
  const store = await createHeliaContentStore({ directory: join(scratch, 'content') });
  let made = 0;
  const values = (): { text: string }[] =>
    Array.from({ length: count }, () => ({ text: sha256(String((made += 1))).repeat(16) }));
  let stored: Cid[] = [];
  let files: string[] = [];
  try {
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
      get: () =>
        perSecond(count, async () => {
          for (const cid of stored) await store.get(cid, { timeoutMs: 1_000 });
        }),
      rawGet: () =>
        perSecond(count, async () => {
          for (const file of files) JSON.parse(await readFile(file, 'utf8'));
        }),
    });
    return {
      rows: [
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
      ],
      notes: ['A put answers once the CID is known; what is timed here is until everything is on the disk and pinned.'],
    };
  } finally {
    await store.close();
  }
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
