import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as dagJson from '@ipld/dag-json';
import { multiaddr } from '@multiformats/multiaddr';
import type { GraphWalkerFactory, Helia, HeliaInit } from 'helia';
import { Block } from 'multiformats/block';
import type { CID } from 'multiformats/cid';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { BlockExchange } from '../../ports/block-exchange.ts';
import { BlockFiles } from './block-files.ts';
import { exchangeBroker } from './exchange-broker.ts';
import { PinDatastore } from './pin-datastore.ts';

/** How a node takes part in an IPFS network. Everything left out is as helia has it. */
export interface Libp2pOptions {
  /** Multiaddrs to listen on, e.g. `/ip4/127.0.0.1/tcp/0`. */
  readonly listen?: readonly string[];
  /** Whether to look for peers on the local network and by the public bootstrap nodes. Default true. */
  readonly discovery?: boolean;
}

/** Where a content store keeps its blocks and whom it talks to. */
export interface HeliaNodeOptions {
  /** Blocks go to `<directory>/blocks`, pins to `<directory>/pins.db`; without it all is in memory. */
  readonly directory?: string | undefined;
  /** Whether to exchange blocks with other nodes; default false: a light node that knows only its own blocks. */
  readonly libp2p?: boolean | Libp2pOptions;
  /** Where blocks are had from that are not here, and whose questions this store answers; it is left open. */
  readonly exchange?: BlockExchange | undefined;
}

/** The part of libp2p that is used here. */
interface Network {
  addresses(): string[];
  connect(address: string): Promise<void>;
}

/** A started helia with its parts within reach. */
export interface HeliaNode {
  readonly helia: Helia;
  /** Undefined in memory. */
  readonly files: BlockFiles | undefined;
  readonly pins: PinDatastore | undefined;
  /** Undefined for a light node. */
  readonly network: Network | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a helia node.
 *
 * @throws PouwError `content_directory_unusable` where the directory cannot be written or the pins not be read.
 */
export async function startHelia(options: HeliaNodeOptions): Promise<HeliaNode> {
  const { files, pins } = await openStores(options.directory);
  const { libp2p = false, exchange } = options;
  const stores = {
    codecs: [dagJson],
    blockBrokers: exchange === undefined ? [] : [exchangeBroker(exchange)],
    ...(files && { blockstore: files }),
    ...(pins && { datastore: pins }),
  };
  let helia: Helia;
  let network: Network | undefined;
  if (libp2p === false) {
    helia = await lightHelia(stores);
  } else {
    const { createHelia } = await import('helia');
    const full = createHelia({ ...stores, libp2p: libp2pInit(libp2p === true ? {} : libp2p) });
    helia = full;
    network = {
      addresses: () => full.libp2p.getMultiaddrs().map(String),
      connect: async (address) => void (await full.libp2p.dial(multiaddr(address))),
    };
  }
  try {
    await helia.start();
  } catch (error) {
    pins?.close();
    if (error instanceof Error && error.name === 'InvalidDatastoreVersionError' && options.directory !== undefined)
      throw unusable(options.directory, `pins.db is not of this version of helia: ${error.message}`, error);
    throw error;
  }
  const stop = async (): Promise<void> => {
    await helia.stop();
    pins?.close();
  };
  return { helia, files, pins, network, stop };
}

/**
 * What helia's `createHeliaLight` makes. Its package has one entrance, which loads libp2p, bitswap and gateways with it:
 * half a second of processor time and 80 MB that a light node has no use for. So the class is taken from the file that it is in;
 * should a later helia not have that file, the entrance is used.
 */
async function lightHelia(init: HeliaInit): Promise<Helia> {
  const require = createRequire(import.meta.url);
  const file = join(dirname(require.resolve('helia')), 'helia.js');
  if (!existsSync(file)) return (await import('helia')).createHeliaLight(init);
  const { Helia: Light } = require(file) as { Helia: new (init: unknown) => Helia };
  return new Light({ name: 'helia', version: '', ...init });
}

/**
 * Pins this block and no other. Our values hold CIDs as text, never as links, so there is nothing to walk;
 * helia's own walkers read every block back and wait a millisecond in a queue.
 */
export function singleBlock(bytes: Uint8Array): GraphWalkerFactory {
  return () => ({
    async *walk<T>(cid: CID) {
      const block = new Block<T, number, number, 1>({ cid: cid as CID<T, number, number, 1>, bytes, value: null as T });
      yield { block, depth: 0, path: [cid] };
    },
  });
}

async function openStores(
  directory: string | undefined,
): Promise<{ files: BlockFiles | undefined; pins: PinDatastore | undefined }> {
  if (directory === undefined) return { files: undefined, pins: undefined };
  try {
    const blocks = join(directory, 'blocks');
    await mkdir(blocks, { recursive: true });
    const files = new BlockFiles(blocks);
    await files.open();
    return { files, pins: new PinDatastore(join(directory, 'pins.db')) };
  } catch (error) {
    throw unusable(directory, errorMessage(error), error);
  }
}

function unusable(directory: string, why: string, cause: unknown): PouwError {
  return new PouwError('content_directory_unusable', `Content cannot be kept in ${directory}.`, {
    class: 'unavailable',
    why,
    hint: 'Give a directory that can be written, or move pins.db away: pins are made again as content is stored.',
    cause,
  });
}

function libp2pInit({ listen, discovery = true }: Libp2pOptions): {
  addresses?: { listen: string[] };
  peerDiscovery?: [];
} {
  return { ...(listen && { addresses: { listen: [...listen] } }), ...(!discovery && { peerDiscovery: [] }) };
}
