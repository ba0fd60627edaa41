import { createHash } from 'node:crypto';
import * as dagJson from '@ipld/dag-json';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { canonicalJson } from '../../core/canonical-json.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { type Hex, hexToBytes } from '../../core/hash.ts';
import type { Cid } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { corrupt, tooLarge } from './content-errors.ts';

/** A SHA-256 digest as the identifier helia uses. */
export function toCid(digest: Hex): CID {
  return CID.createV1(dagJson.code, createDigest(0x12, hexToBytes(digest)));
}

/** The SHA-256 digest of a block. */
export function digestOf(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The block of a value. @throws PouwError `content_too_large`, `content_invalid`. */
export function encodeBlock(value: Json): Uint8Array {
  const text = canonicalJson(value);
  const bytes = Buffer.from(text);
  if (bytes.length > limits.contentBytesMax) throw tooLarge(bytes.length);
  // DAG-JSON gives objects whose only key is "/" a meaning of its own: a link or bytes.
  if (text.includes('"/":')) refuseUnreadable(bytes);
  return bytes;
}

/** The value of a block. @throws PouwError `content_corrupt`. */
export function decodeBlock(cid: Cid, bytes: Uint8Array): Json {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as Json;
  } catch (error) {
    throw corrupt(cid, `It is not JSON: ${errorMessage(error)}`);
  }
}

/** A block from the chunks a block store gives. @throws PouwError `content_too_large`. */
export async function collectBlock(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limits.contentBytesMax) throw tooLarge(length);
    all.push(chunk);
  }
  return Buffer.concat(all);
}

function refuseUnreadable(bytes: Uint8Array): void {
  try {
    dagJson.decode(bytes);
  } catch (error) {
    throw new PouwError('content_invalid', 'The value uses the key "/" in a way other IPFS nodes cannot read.', {
      class: 'invalid',
      why: errorMessage(error),
      hint: 'Use another key.',
      cause: error,
    });
  }
}
