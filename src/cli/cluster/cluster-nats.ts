import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type NatsMember, renderNatsConfig } from '../../adapters/nats/nats-config.ts';
import { addressOfNkey, nkeyFileName, openNkeyFile } from '../../adapters/nats/nkey-file.ts';
import { prepareNatsNetwork } from '../../adapters/nats/prepare.ts';
import { startNatsCluster } from '../../adapters/nats/server/server-cluster.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '../../adapters/nats/server/server-process.ts';
import type { NatsPeerOptions } from '../nats-options.ts';
import { connectPeer } from '../nats-peer.ts';

/** Servers that take the members of a cluster and nobody else, with everything made that is kept on them. */
export interface ClusterNats {
  readonly url: string;
  readonly servers: readonly NatsServer[];
  /** How somebody connects who may read everything and write nothing. */
  readonly observer: NatsPeerOptions;
  stop(): Promise<void>;
}

/** What the servers of a cluster are started with. */
export interface ClusterNatsOptions {
  /** Servers, operator and observer have a folder below it each. */
  readonly folder: string;
  readonly program: string;
  readonly size: 1 | 3;
  /** Everybody who may connect, but for the operator and the observer. */
  readonly members: readonly NatsMember[];
  /** The models whose queues are made. */
  readonly models: readonly string[];
}

/** Starts the servers as an operator would: one key per node, and streams and buckets made by a key of the operator's. */
export async function startClusterNats(options: ClusterNatsOptions): Promise<ClusterNats> {
  const { folder, program, size, models } = options;
  const operator = keyed(folder, 'operator');
  const observer = keyed(folder, 'observer');
  const members = [...options.members, operator.member, observer.member];
  const server: NatsServerOptions = {
    directory: join(folder, 'nats'),
    program,
    render: (settings) => renderNatsConfig(members, settings),
  };
  const started = await startServers(server, size);
  try {
    const link = await connectPeer('pouw cluster', { nats: started.url, natsKey: operator.file });
    try {
      await prepareNatsNetwork({ connection: link.connection, replicas: size, models });
    } finally {
      await link.close();
    }
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { ...started, observer: { nats: started.url, natsKey: observer.file } };
}

async function startServers(options: NatsServerOptions, size: 1 | 3): Promise<Omit<ClusterNats, 'observer'>> {
  if (size === 3) return startNatsCluster(options);
  const server = await startNatsServer(options);
  return { url: server.url, servers: [server], stop: () => server.stop() };
}

function keyed(folder: string, role: 'operator' | 'observer'): { readonly file: string; readonly member: NatsMember } {
  const own = join(folder, role);
  mkdirSync(own, { recursive: true });
  const file = join(own, nkeyFileName);
  const nkey = openNkeyFile(file);
  return { file, member: { role, address: addressOfNkey(nkey), nkey } };
}
