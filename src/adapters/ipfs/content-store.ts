import type { CID } from 'multiformats/cid';
import { cidToDigest, contentCid, digestToCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Cid } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import type { BlockExchange } from '../../ports/block-exchange.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { Subscription } from '../../ports/event-store.ts';
import { blockBroker } from './block-broker.ts';
import { collectBlock, decodeBlock, digestOf, encodeBlock, toCid } from './content-block.ts';
import { corrupt, explainMissing, writeFailed } from './content-errors.ts';
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

/** What a content store is made of. */
export interface HeliaContentStoreOptions extends HeliaNodeOptions {
  /** Where blocks are had from that are not here, and whose questions this store answers; it is left open. */
  readonly exchange?: BlockExchange | undefined;
}

/**
 * Content by CID on helia. `put` answers as soon as the CID is known; blocks and pins are written in the
 * background in batches, each fsynced, and can be read meanwhile. `get` waits for content that is not
 * there yet, whether it is put in this process or held by another: what comes from elsewhere is stored and pinned
 * here like what is put. A block that is damaged here is fetched again, if there is an exchange.
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
export async function createHeliaContentStore(options: HeliaContentStoreOptions = {}): Promise<HeliaContentStore> {
  return new HeliaStore(await startHelia(options), options.exchange);
}

class HeliaStore implements HeliaContentStore {
  readonly #node: HeliaNode;
  readonly #exchange: BlockExchange | undefined;
  /** Answers the other processes. */
  readonly #server: Subscription | undefined;
  readonly #writes: WriteBehind<Cid>;
  /** CIDs known to be stored, pinned and durable; forgotten all at once when there are too many. */
  readonly #known = new Set<Cid>();
  /** Reads waiting for content to be put here. */
  readonly #waiting = new Map<Cid, Set<(bytes: Uint8Array) => void>>();
  readonly #closer = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(node: HeliaNode, exchange: BlockExchange | undefined) {
    this.#node = node;
    this.#exchange = exchange;
    this.#writes = new WriteBehind((batch) => this.#writeBatch(batch), {
      pendingBytesMax: limits.contentPendingBytesMax,
      batchMax: limits.contentBatchBlocksMax,
    });
    if (exchange === undefined) return;
    node.helia.addBlockBroker(blockBroker((cid, signal) => this.#fetchFrom(exchange, cid, signal)));
    this.#server = exchange.serve((cid) => this.#sound(cid));
  }

  cidOf(value: Json): Cid {
    return contentCid(value);
  }

  async put(value: Json): Promise<Cid> {
    this.#refuseWhenClosed();
    const bytes = encodeBlock(value);
    const cid = digestToCid(digestOf(bytes));
    if (this.#known.has(cid)) return cid;
    await this.#take(cid, bytes);
    return cid;
  }

  async get(cid: Cid, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<Json> {
    this.#refuseWhenClosed();
    const digest = cidToDigest(cid);
    const pending = this.#writes.get(cid);
    if (pending !== undefined) return decodeBlock(cid, pending);
    signal?.throwIfAborted();
    using deadline = new Deadline(timeoutMs, signal, this.#closer.signal);
    try {
      const bytes = await this.#fetch(cid, digest, deadline.signal);
      if (digestOf(bytes) === digest) return decodeBlock(cid, bytes);
      this.#known.delete(cid);
      return decodeBlock(cid, await this.#repair(cid, deadline));
    } catch (error) {
      signal?.throwIfAborted();
      this.#refuseWhenClosed();
      throw explainMissing(error, cid, timeoutMs, deadline.passed);
    }
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
      await this.#server?.close();
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

  /** The block from this process, the disk or elsewhere, whichever has it first. */
  async #fetch(cid: Cid, digest: Hex, signal: AbortSignal): Promise<Uint8Array> {
    const key = toCid(digest);
    const { promise: arrival, resolve: arrived, reject } = Promise.withResolvers<Uint8Array>();
    const waiting = this.#waiting.get(cid) ?? new Set();
    this.#waiting.set(cid, waiting.add(arrived));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    arrival.catch(() => undefined);
    try {
      // A block of our own is read to its end, for the deadline is for others: on a busy thread it would pass while the
      // block lies ready, and aborted while it opens the file, the block store loses the handle.
      if (await this.#node.helia.blockstore.has(key)) return await this.#readHere(key);
      // Without others there is nobody to ask: the block can only still be put here.
      if (this.#exchange === undefined && this.#node.network === undefined) return await arrival;
      return await Promise.race([arrival, this.#fetchFromOthers(cid, key, signal)]);
    } finally {
      waiting.delete(arrived);
      if (waiting.size === 0 && this.#waiting.get(cid) === waiting) this.#waiting.delete(cid);
    }
  }

  #readHere(key: CID): Promise<Uint8Array> {
    return collectBlock(this.#node.helia.blockstore.get(key, { offline: true }));
  }

  /** By helia, which asks libp2p's peers and the exchange, whatever there is of them. */
  async #fetchFromOthers(cid: Cid, key: CID, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await collectBlock(this.#node.helia.blockstore.get(key, { signal }));
    // Helia has stored the block; pinned and durable it is made like every other.
    if (!this.#known.has(cid)) await this.#take(cid, bytes);
    return bytes;
  }

  /** A block from the exchange; it can be read here at once. */
  async #fetchFrom(exchange: BlockExchange, cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await exchange.fetch(cid, signal);
    await this.#take(cid, bytes);
    return bytes;
  }

  /** A block that is damaged here, from the exchange. */
  async #repair(cid: Cid, deadline: Deadline): Promise<Uint8Array> {
    const damaged = corrupt(cid, 'Its bytes do not have the hash it is named by.');
    if (this.#exchange === undefined) throw damaged;
    return await this.#fetchFrom(this.#exchange, cid, deadline.signal).catch((error: unknown) => {
      throw deadline.passed ? damaged : error;
    });
  }

  /** Holds a block: it is written and pinned in the background, and given to those who wait for it. */
  async #take(cid: Cid, bytes: Uint8Array): Promise<void> {
    await this.#writes.add(cid, bytes);
    for (const arrived of this.#waiting.get(cid) ?? []) arrived(bytes);
  }

  /** A block as others may have it: held here, and not damaged. */
  async #sound(cid: Cid): Promise<Uint8Array | undefined> {
    const pending = this.#writes.get(cid);
    if (pending !== undefined) return pending;
    const digest = cidToDigest(cid);
    const key = toCid(digest);
    if (!(await this.#node.helia.blockstore.has(key))) return undefined;
    const bytes = await this.#readHere(key);
    return digestOf(bytes) === digest ? bytes : undefined;
  }

  /** Stores, pins and fsyncs one batch; done twice it changes nothing. */
  async #writeBatch(batch: ReadonlyMap<Cid, Uint8Array>): Promise<void> {
    const keys = new Map([...batch].map(([cid, bytes]) => [toCid(cidToDigest(cid)), bytes]));
    try {
      await Promise.all([...keys].map(([key, bytes]) => this.#writeBlock(key, bytes)));
      await this.#node.files?.sync(keys.keys());
      this.#node.pins?.sync();
    } catch (error) {
      throw writeFailed(batch.size, error);
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
