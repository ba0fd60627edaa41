import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as dagJson from '@ipld/dag-json';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { type Hex, hexToBytes, sha256 } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import { BlockFiles } from './block-files.ts';

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
      const cid = CID.createV1(dagJson.code, createDigest(0x12, hexToBytes(digest)));
      const bytes = await readFile(files.fileOf(cid)).catch(() => undefined);
      return bytes === undefined || `0x${sha256(bytes)}` !== digest
        ? undefined
        : (JSON.parse(bytes.toString()) as Json);
    },
  };
}
