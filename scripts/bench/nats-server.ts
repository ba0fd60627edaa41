import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { findNatsServer } from '../../src/adapters/nats/server/find-server.ts';
import { startNatsServer } from '../../src/adapters/nats/server/server-process.ts';
import { defaultCacheFolder } from '../../src/cli/cache-folder.ts';
import { present } from '../../src/core/assert.ts';
import { errorCode, errorMessage } from '../../src/core/errors.ts';
import type { FigureResult } from './figure.ts';

/** A server for one figure. */
export interface BenchNats {
  readonly version: string;
  readonly connection: NatsConnection;
  /** Resident memory of the server, in MiB; undefined where the system does not tell. */
  readonly rssMiB: () => Promise<number | undefined>;
  readonly close: () => Promise<void>;
}

/**
 * Starts a NATS server of its own. It writes what it acknowledges to the disk once in two minutes, which is the
 * server's own default: with `sync_interval: always`, pouw's, the disk would be measured and nothing else.
 *
 * @throws PouwError `nats_server_missing` where there is none and none can be fetched.
 */
export async function startBenchNats(scratch: string, sync: 'always' | number = 120_000): Promise<BenchNats> {
  const program = await findNatsServer({ cacheFolder: defaultCacheFolder() });
  const directory = join(scratch, `nats-${sync}`);
  const settings = { jetStream: { directory: join(directory, 'store'), sync } };
  const server = await startNatsServer({ directory, program: program.path, settings });
  const connection = await connect({ servers: server.url, noAsyncTraces: true });
  return {
    version: program.version,
    connection,
    rssMiB: () => rssMiBOf(present(server.pid, 'the process of the server')),
    close: async () => {
      await connection.close();
      await server.stop();
    },
  };
}

/** Runs a figure that needs a server; where none can be had, it has no rows and says why. */
export async function withNats(run: () => Promise<FigureResult>): Promise<FigureResult> {
  try {
    return await run();
  } catch (error) {
    if (errorCode(error) !== 'nats_server_missing') throw error;
    return { rows: [], notes: [errorMessage(error)] };
  }
}

async function rssMiBOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1_024;
}
