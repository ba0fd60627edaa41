import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { anvilStateFile } from '../../src/adapters/chain/anvil-spawn.ts';
import { anvilRecordFile, clearStaleAnvil } from '../../src/adapters/chain/anvil-stale.ts';
import { clearStaleNats, natsRecordFile } from '../../src/adapters/nats/server/server-record.ts';
import { writeProcessRecord } from '../../src/adapters/process/process-record.ts';
import type * as RunningProcess from '../../src/adapters/process/running-process.ts';
import { scratchDirectory } from './scratch-directory.ts';

// As on a system without /proc and ps.
vi.mock('../../src/adapters/process/running-process.ts', async (original) => ({
  ...(await original<typeof RunningProcess>()),
  commandLine: async () => undefined,
}));

/** A folder whose record names this process and a port that is taken. */
async function recordedIn(recordFile: (directory: string) => string): Promise<{ directory: string; port: number }> {
  const scratch = scratchDirectory();
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    scratch.remove();
  });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const record = { pid: process.pid, port, owner: { pid: process.ppid, command: 'pouw' } };
  await writeProcessRecord(recordFile(scratch.path), record);
  return { directory: scratch.path, port };
}

test('a recorded anvil that holds its port, and of which the system tells nothing, is left alone and named', async () => {
  const { directory, port } = await recordedIn(anvilRecordFile);
  await expect(clearStaleAnvil(directory, anvilStateFile(directory))).rejects.toMatchObject({
    code: 'stale_anvil',
    details: { pid: process.pid, port },
    hint: expect.stringContaining(`else remove ${anvilRecordFile(directory)}`) as string,
  });
});

test('so is a recorded NATS server', async () => {
  const { directory, port } = await recordedIn(natsRecordFile);
  await expect(clearStaleNats(directory)).rejects.toMatchObject({
    code: 'stale_nats',
    details: { pid: process.pid, port },
  });
});
