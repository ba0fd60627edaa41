import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsBlockstore } from 'blockstore-fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BlockFiles } from './block-files.ts';
import { digestOf, encodeBlock, toCid } from './content-block.ts';

const bytes = encodeBlock({ some: 'block' });
const cid = toCid(digestOf(bytes));

describe('block files', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pouw-blocks-'));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(directory, { recursive: true, force: true });
  });

  it('writes a block once for all who put it at the same time, and again later', async () => {
    const write = vi.spyOn(FsBlockstore.prototype, 'put');
    const files = new BlockFiles(directory);
    await Promise.all([1, 2, 3].map(() => files.put(cid, bytes)));
    expect(write).toHaveBeenCalledTimes(1);
    expect(await readFile(files.fileOf(cid))).toEqual(bytes);
    await files.put(cid, bytes);
    expect(write).toHaveBeenCalledTimes(2);
  });

  it('writes a block although an earlier write of it was given up', async () => {
    const files = new BlockFiles(directory);
    const given = files.put(cid, bytes, { signal: AbortSignal.abort() });
    const other = files.put(cid, bytes);
    await expect(given).rejects.toThrow(expect.objectContaining({ name: 'PutFailedError' }));
    await other;
    expect(await files.holds(cid, bytes)).toBe(true);
  });
});
