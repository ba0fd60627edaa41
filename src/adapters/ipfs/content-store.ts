import { createHash } from 'node:crypto';
import * as dagJson from '@ipld/dag-json';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { canonicalJson } from '../../core/canonical-json.ts';
import { cidToDigest, contentCid, digestToCid } from '../../core/cid.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { type Hex, hexToBytes } from '../../core/hash.ts';
import type { Cid } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import { Deadline } from './deadline.ts';
import { type HeliaNode, type HeliaNodeOptions, singleBlock, startHelia } from './helia-node.ts';
import { WriteBehind } from './write-behind.ts';

/** A content store on helia, with what a process needs to meet others. */
export interface HeliaContentStore extends ContentStore {
  /** Multiaddrs others can reach this node at; empty for a light node. */
  addresses(): readonly string[];
  /** Connects to another node by its multiaddr. @throws PouwError `content_offline` for a light node. */
  connect(address: string): Promise<void>;
}

/**
 * Content by CID on helia. `put` answers as soon as the CID is known; blocks and pins are written in the
 * background in batches, each fsynced, and can be read meanwhile. `get` waits for content that is not
 * there yet, whether it comes from this process or from a peer.
 *
 * Beside the port's errors: `content_write_failed` from `flush` and `close` (and from `put` once
 * `limits.contentPendingBytesMax` wait), `content_invalid` for values IPLD would read as something else,
 * `content_closed`, `invalid_cid`.
 *
 * @throws PouwError `content_directory_unusable`.
 *
 * @example
 * const content = await createHeliaContentStore({ directory: '/var/lib/pouw' });
 * const cid = await content.put({ text: 'hello' });
 * await content.get(cid, { timeoutMs: 1_000 });
 */
export async function createHeliaContentStore(options: HeliaNodeOptions = {}): Promise<HeliaContentStore> {
  return new HeliaStore(await startHelia(options));
}

class HeliaStore implements HeliaContentStore {
  readonly #node: HeliaNode;
  readonly #writes: WriteBehind<Cid>;
  /** CIDs known to be stored, pinned and durable; forgotten all at once when there are too many. */
  readonly #known = new Set<Cid>();
  /** Reads waiting for content to be put here. */
  readonly #waiting = new Map<Cid, Set<(bytes: Uint8Array) => void>>();
  readonly #closer = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(node: HeliaNode) {
    this.#node = node;
    this.#writes = new WriteBehind((batch) => this.#writeBatch(batch), {
      pendingBytesMax: limits.contentPendingBytesMax,
      batchMax: limits.contentBatchBlocksMax,
    });
  }

  cidOf(value: Json): Cid {
    return contentCid(value);
  }

  async put(value: Json): Promise<Cid> {
    this.#refuseWhenClosed();
    const bytes = encode(value);
    const cid = digestToCid(digestOf(bytes));
    if (this.#known.has(cid)) return cid;
    await this.#writes.add(cid, bytes);
    for (const arrived of this.#waiting.get(cid) ?? []) arrived(bytes);
    return cid;
  }

  async get(cid: Cid, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<Json> {
    this.#refuseWhenClosed();
    const digest = cidToDigest(cid);
    const pending = this.#writes.get(cid);
    if (pending !== undefined) return decode(cid, pending);
    signal?.throwIfAborted();
    using deadline = new Deadline(timeoutMs, signal, this.#closer.signal);
    const bytes = await this.#fetch(cid, digest, deadline.signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      this.#refuseWhenClosed();
      if (deadline.passed || (error as Error).name === 'LoadBlockFailedError') throw notFound(cid, timeoutMs);
      throw error instanceof PouwError ? error : corrupt(cid, errorMessage(error));
    });
    if (digestOf(bytes) !== digest) {
      this.#known.delete(cid);
      throw corrupt(cid, 'Its bytes do not have the hash it is named by.');
    }
    return decode(cid, bytes);
  }

  async has(cid: Cid): Promise<boolean> {
    this.#refuseWhenClosed();
    if (this.#writes.get(cid) !== undefined) return true;
    const key = toCid(cidToDigest(cid));
    const { helia } = this.#node;
    return (await helia.pins.isPinned(key)) && (await helia.blockstore.has(key));
  }

  async flush(): Promise<void> {
    await this.#writes.drain();
  }

  close(): Promise<void> {
    this.#closer.abort();
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  async #stop(): Promise<void> {
    try {
      await this.#writes.drain();
    } finally {
      await this.#node.stop();
    }
  }

  addresses(): readonly string[] {
    return this.#node.network?.addresses() ?? [];
  }

  async connect(address: string): Promise<void> {
    this.#refuseWhenClosed();
    if (this.#node.network === undefined) {
      throw new PouwError('content_offline', 'This node keeps its content to itself.', {
        class: 'invalid',
        hint: 'Create the store with libp2p switched on.',
      });
    }
    await this.#node.network.connect(address);
  }

  /** The block from this process, the disk or a peer, whichever has it first. */
  async #fetch(cid: Cid, digest: Hex, signal: AbortSignal): Promise<Uint8Array> {
    const key = toCid(digest);
    const { promise: arrival, resolve: arrived, reject } = Promise.withResolvers<Uint8Array>();
    const waiting = this.#waiting.get(cid) ?? new Set();
    this.#waiting.set(cid, waiting.add(arrived));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    arrival.catch(() => undefined);
    try {
      const here = await this.#node.helia.blockstore.has(key);
      // Without peers there is nobody to ask: the block can only still be put here.
      if (!here && this.#node.network === undefined) return await arrival;
      return await Promise.race([arrival, this.#read(cid, key, signal)]);
    } finally {
      waiting.delete(arrived);
      if (waiting.size === 0 && this.#waiting.get(cid) === waiting) this.#waiting.delete(cid);
    }
  }

  async #read(cid: Cid, key: CID, signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    // A block of our own is read to its end: aborted while it opens the file, the block store loses the handle.
    const isHere = await this.#node.helia.blockstore.has(key, { signal });
    for await (const chunk of this.#node.helia.blockstore.get(key, isHere ? {} : { signal })) {
      length += chunk.length;
      if (length > limits.contentBytesMax) throw tooLarge(length);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Stores, pins and fsyncs one batch; done twice it changes nothing. */
  async #writeBatch(batch: ReadonlyMap<Cid, Uint8Array>): Promise<void> {
    const keys = new Map([...batch].map(([cid, bytes]) => [toCid(cidToDigest(cid)), bytes]));
    try {
      await Promise.all([...keys].map(([key, bytes]) => this.#writeBlock(key, bytes)));
      await this.#node.files?.sync(keys.keys());
      this.#node.pins?.sync();
    } catch (error) {
      throw new PouwError('content_write_failed', `${batch.size} blocks could not be written.`, {
        class: 'unavailable',
        why: errorMessage(error),
        hint: 'Free some space or repair the directory; the blocks are kept in memory and written by the next flush.',
        cause: error,
      });
    }
    if (this.#known.size + batch.size > limits.contentKnownCidsMax) this.#known.clear();
    for (const cid of batch.keys()) this.#known.add(cid);
  }

  async #writeBlock(key: CID, bytes: Uint8Array): Promise<void> {
    const { helia, files } = this.#node;
    // Helia leaves a block alone that has a file, whatever is in it; a damaged one is replaced here.
    if (files !== undefined && (await files.has(key)) && !(await files.holds(key, bytes))) await files.put(key, bytes);
    await helia.blockstore.put(key, bytes);
    try {
      for await (const pinned of helia.pins.add(key, { walker: singleBlock(bytes) })) void pinned;
    } catch (error) {
      if ((error as Error).name !== 'AlreadyPinnedError') throw error;
    }
  }

  #refuseWhenClosed(): void {
    if (!this.#closer.signal.aborted) return;
    throw new PouwError('content_closed', 'The content store is closed.', { class: 'unavailable' });
  }
}

function encode(value: Json): Uint8Array {
  const text = canonicalJson(value);
  const bytes = Buffer.from(text);
  if (bytes.length > limits.contentBytesMax) throw tooLarge(bytes.length);
  // DAG-JSON gives objects whose only key is "/" a meaning of its own: a link or bytes.
  if (text.includes('"/":')) refuseUnreadable(bytes);
  return bytes;
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

function decode(cid: Cid, bytes: Uint8Array): Json {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as Json;
  } catch (error) {
    throw corrupt(cid, `It is not JSON: ${errorMessage(error)}`);
  }
}

function digestOf(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

function toCid(digest: Hex): CID {
  return CID.createV1(dagJson.code, createDigest(0x12, hexToBytes(digest)));
}

function notFound(cid: Cid, timeoutMs: number): PouwError {
  return new PouwError('content_not_found', `No content ${cid} within ${timeoutMs} ms.`, {
    class: 'not-found',
    hint: 'Ask a node that has it pinned, or allow more time.',
  });
}

function corrupt(cid: Cid, why: string): PouwError {
  return new PouwError('content_corrupt', `The block of ${cid} is damaged.`, {
    class: 'corrupt',
    why,
    hint: 'Storing the same content again repairs it.',
  });
}

function tooLarge(length: number): PouwError {
  return new PouwError(
    'content_too_large',
    `A block of ${length} bytes is over the limit of ${limits.contentBytesMax}.`,
    {
      class: 'too-large',
      hint: 'Split it into several values.',
      details: { bytes: length, bytesMax: limits.contentBytesMax },
    },
  );
}
