import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import { BlockFiles } from './block-files.ts';
import { digestOf, toCid } from './content-block.ts';

/** Content that lies in a directory, without a node: for tools that look into the data of one that may be running. */
export interface BlockReader {
  /** The content under a SHA-256 digest; undefined where it is not here or damaged. */
  readonly get: (digest: Hex) => Promise<Json | undefined>;
}

/** Reads the blocks in `<directory>/blocks`, where {@link createHeliaContentStore} keeps them. Writes nothing. */
export function openBlockReader(directory: string): BlockReader {
  const files = new BlockFiles(join(directory, 'blocks'));
  return {
    get: async (digest) => {
      const bytes = await readFile(files.fileOf(toCid(digest))).catch(() => undefined);
      return bytes === undefined || digestOf(bytes) !== digest ? undefined : (JSON.parse(bytes.toString()) as Json);
    },
  };
}
