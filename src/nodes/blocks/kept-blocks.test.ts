import { describe, expect, test } from 'vitest';
import { contentCid } from '../../core/cid.ts';
import type { Cid } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { KeptBlocks } from './kept-blocks.ts';

const cids = Array.from({ length: 5 }, (_, index) => contentCid(index));

/** Blocks of a quarter of what may be kept. */
function make(): { blocks: KeptBlocks; read: number[] } {
  const read: number[] = [];
  const blocks = new KeptBlocks(async (cid) => {
    read.push(cids.indexOf(cid));
    return new Uint8Array(limits.blockServedBytesKept / 4);
  });
  return { blocks, read };
}

describe('kept blocks', () => {
  test('are read once, up to the bound, and the one used longest ago goes first', async () => {
    const { blocks, read } = make();
    for (const index of [0, 1, 2, 3, 0, 1, 2, 3]) await blocks.get(cids[index] as Cid);
    expect(read).toEqual([0, 1, 2, 3]);
    await blocks.get(cids[0] as Cid);
    await blocks.get(cids[4] as Cid);
    for (const index of [0, 2, 3, 4]) await blocks.get(cids[index] as Cid);
    expect(read).toEqual([0, 1, 2, 3, 4]);
    await blocks.get(cids[1] as Cid);
    expect(read).toEqual([0, 1, 2, 3, 4, 1]);
  });

  test('are read once for all who ask at the same time', async () => {
    const { blocks, read } = make();
    await Promise.all([1, 2, 3].map(() => blocks.get(cids[0] as Cid)));
    expect(read).toEqual([0]);
  });

  test('are looked for again where they were not there or could not be read', async () => {
    const answers = [() => undefined, () => new Uint8Array(3)];
    const missing = new KeptBlocks(async () => answers.shift()?.());
    expect(await missing.get(cids[0] as Cid)).toBeUndefined();
    expect(await missing.get(cids[0] as Cid)).toEqual(new Uint8Array(3));
    let tries = 0;
    const failing = new KeptBlocks(async () => {
      tries += 1;
      throw new Error('no disk');
    });
    for (let count = 0; count < 2; count += 1) await expect(failing.get(cids[0] as Cid)).rejects.toThrow('no disk');
    expect(tries).toBe(2);
  });
});
