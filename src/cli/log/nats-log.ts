import { openChainReader } from '../../adapters/chain/chain-reader.ts';
import { type DeploymentRecord, readDeploymentFile } from '../../adapters/chain/deployment-record.ts';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { natsReplicas } from '../../adapters/nats/prepare.ts';
import { openNatsEventStore } from '../../adapters/nats/store/event-store.ts';
import type { LogRegistry, RefusedMessage } from '../../adapters/nats/store/log-trust.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { keysOf, type PassedOver, storeSource } from '../../replay/source.ts';
import { ChainOpenings } from '../compose/chain-openings.ts';
import type { NatsPeerOptions } from '../nats-options.ts';
import { connectPeer } from '../nats-peer.ts';
import type { OpenLog } from './open-log.ts';

/** How a log on NATS is read, and where what it refers to is. */
export interface NatsLogOptions extends Omit<NatsPeerOptions, 'nats'> {
  /** The record of the contracts, as `pouw chain deploy` writes it. */
  readonly deployment?: string;
  /** The chain whose registry says which commits count; without it their signatures are not looked at. */
  readonly rpc?: string;
  /** Data folders of routers, in which the manifests of the anchors are. */
  readonly content?: readonly string[];
}

/**
 * Opens the log of a network on NATS, with the key of an observer.
 *
 * @throws PouwError what connecting throws, `nats_not_prepared`, `deployment_missing`.
 */
export async function openNatsLog(source: string, options: NatsLogOptions): Promise<OpenLog> {
  const { deployment: file, content = [], rpc, ...peer } = options;
  const record = file === undefined ? undefined : await readDeploymentFile(file);
  if (file !== undefined && record === undefined) {
    throw new PouwError('deployment_missing', `There is no deployment in ${file}.`, {
      class: 'invalid',
      hint: 'Name the deployment.json that `pouw chain deploy` wrote.',
      param: 'deployment',
    });
  }
  const link = await connectPeer('pouw log', { ...peer, nats: source });
  try {
    const { connection, inboxPrefix } = link;
    const passed: PassedOver[] = [];
    let count = 0;
    const onRefused = ({ position, code, stream }: RefusedMessage): void => {
      count += 1;
      if (passed.length < limits.logFaultsMax) passed.push({ position, code, stream: stream ?? null });
    };
    const registry = rpc === undefined || record === undefined ? undefined : await registryOf(rpc, record);
    const replicas = await natsReplicas(connection);
    const store = await openNatsEventStore({ connection, inboxPrefix, replicas, trust: { registry, onRefused } });
    const knowledge = { deployment: record?.deployment ?? null, keys: new Map<never, never>(), anchors: [] };
    return {
      source: { ...storeSource(source, store, knowledge), passedOver: () => ({ count, first: passed }) },
      directory: undefined,
      database: undefined,
      content: contentOf(content),
      close: async () => {
        await store.close();
        await link.close();
      },
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Who may have written the log, as the chain says it now. Who registers later has written nothing yet that counts. */
async function registryOf(rpcUrl: string, record: DeploymentRecord): Promise<LogRegistry> {
  const reader = await openChainReader({ rpcUrl, ...record });
  const keys = new Map(keysOf(await reader.nodes()));
  const { signal } = new AbortController();
  return {
    get: (author) => keys.get(author),
    learn: async () => {
      for (const [node, key] of keysOf(await reader.nodes())) keys.set(node, key);
    },
    openings: new ChainOpenings({ clock: systemClock, signal, ask: (question) => question(reader) }),
  };
}

function contentOf(folders: readonly string[]): (digest: Hex) => Promise<Json | undefined> {
  const readers = folders.map((folder) => openBlockReader(folder));
  return async (digest) => {
    for (const { get } of readers) {
      const found = await get(digest);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
