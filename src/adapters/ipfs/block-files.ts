import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FsBlockstore } from 'blockstore-fs';
import { NextToLast } from 'blockstore-fs/sharding';
import type { CID } from 'multiformats/cid';

/** Blocks as files, one each, with a way to make them survive a power failure: the library renames but does not fsync. */
export class BlockFiles extends FsBlockstore {
  readonly #sharding: NextToLast;
  /** The writes that are under way, by file. */
  readonly #writes = new Map<string, Promise<CID>>();

  constructor(directory: string) {
    const shardingStrategy = new NextToLast();
    super(directory, { shardingStrategy });
    this.#sharding = shardingStrategy;
  }

  /** The file a block is in. */
  fileOf(cid: CID): string {
    const { dir, file } = this.#sharding.encode(cid);
    return join(this.path, dir, file);
  }

  /**
   * Writes a block; two writes of it at a time are one. The library writes to a temporary file that has one name per
   * block, so that each would publish the half of the other, and wait a second for the file that is gone then.
   */
  override async put(...[cid, bytes, options]: Parameters<FsBlockstore['put']>): Promise<CID> {
    const file = this.fileOf(cid);
    const earlier = this.#writes.get(file);
    // The earlier one may have been aborted.
    const write = earlier?.catch(() => super.put(cid, bytes, options)) ?? super.put(cid, bytes, options);
    this.#writes.set(file, write);
    try {
      return await write;
    } finally {
      if (this.#writes.get(file) === write) this.#writes.delete(file);
    }
  }

  /** Whether a block's file is exactly these bytes. */
  async holds(cid: CID, bytes: Uint8Array): Promise<boolean> {
    return (await readFile(this.fileOf(cid))).equals(bytes);
  }

  /** Resolves once these blocks and their directory entries are on the disk. */
  async sync(cids: Iterable<CID>): Promise<void> {
    const files = [...cids].map((cid) => this.fileOf(cid));
    const directories = new Set(files.map((file) => dirname(file)));
    await Promise.all(files.map(syncToDisk));
    await Promise.all([...directories, this.path].map(syncToDisk));
  }
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
