import { join } from 'node:path';
import { freePort } from '../../process/port.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from './server-process.ts';

/** How to start a cluster for local use; what is said of a server goes for each of them. */
export interface NatsClusterOptions extends Omit<NatsServerOptions, 'untilReady'> {
  /** The folder of the cluster; each server has one below it. */
  readonly directory: string;
  /** Servers; default 3, which lose nothing when one of them is lost. */
  readonly size?: number;
}

/** Servers that act as one. */
export interface NatsCluster {
  /** What clients connect to: all addresses with commas between them. */
  readonly url: string;
  readonly urls: readonly string[];
  readonly servers: readonly NatsServer[];
  /** The processes that run. */
  readonly pids: readonly number[];
  /** Resolves when all servers that run serve. @throws PouwError `nats_server_failed`. */
  untilReady(): Promise<void>;
  /** Ends all in good order. */
  stop(): Promise<void>;
  /** Ends all at once. */
  kill(): Promise<void>;
}

/** How many times a cluster is tried on other ports where one was taken. */
const triesMax = 3;

/**
 * Starts a cluster on 127.0.0.1 and waits until all servers have found each other and can keep streams together.
 *
 * @throws PouwError like `startNatsServer`.
 */
export async function startNatsCluster(options: NatsClusterOptions): Promise<NatsCluster> {
  for (let tries = 1; ; tries++) {
    const servers: NatsServer[] = [];
    try {
      await startMembers(options, servers);
      const cluster = clusterOf(servers);
      await cluster.untilReady();
      return cluster;
    } catch (error) {
      await Promise.all(servers.map((server) => server.kill()));
      if (tries >= triesMax) throw error;
    }
  }
}

async function startMembers(options: NatsClusterOptions, servers: NatsServer[]): Promise<void> {
  const { directory, size = 3, settings = {} } = options;
  const ports: number[] = [];
  while (ports.length < size) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  for (const [index, port] of ports.entries()) {
    const name = `${settings.name ?? 'pouw'}-${index + 1}`;
    const folder = join(directory, name);
    const routes = ports.filter((other) => other !== port).map((other) => `127.0.0.1:${other}`);
    servers.push(
      await startNatsServer({
        ...options,
        directory: folder,
        untilReady: false,
        settings: {
          ...settings,
          name,
          logFile: join(folder, 'server.log'),
          jetStream: { ...settings.jetStream, directory: join(folder, 'store') },
          cluster: { name: 'pouw', ...settings.cluster, port, routes },
        },
      }),
    );
  }
}

function clusterOf(servers: readonly NatsServer[]): NatsCluster {
  const urls = servers.map(({ url }) => url);
  const all = async (act: (server: NatsServer) => Promise<void>): Promise<void> => {
    await Promise.all(servers.map(act));
  };
  return {
    url: urls.join(','),
    urls,
    servers,
    get pids() {
      return servers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    },
    untilReady: () => all(async (server) => (server.pid === undefined ? undefined : server.untilReady())),
    stop: () => all((server) => server.stop()),
    kill: () => all((server) => server.kill()),
  };
}
