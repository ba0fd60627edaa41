import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { scratchDirectory } from '../../../test/features/scratch-directory.ts';
import type * as RunningProcess from '../process/running-process.ts';
import { writeProcessRecord } from '../process/process-record.ts';
import { anvilRecordFile, clearStaleAnvil } from './anvil-stale.ts';
import { anvilStateFile } from './anvil-spawn.ts';

// As on a system without /proc and ps.
vi.mock('../process/running-process.ts', async (original) => ({
  ...(await original<typeof RunningProcess>()),
  commandLine: async () => undefined,
}));

test('a recorded process that holds the port, and of which the system tells nothing, is left alone and named', async () => {
  const scratch = scratchDirectory();
  const server = createServer().listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const record = { pid: process.pid, port, owner: { pid: process.ppid, command: 'pouw' } };
    await writeProcessRecord(anvilRecordFile(scratch.path), record);
    const clearing = clearStaleAnvil(scratch.path, anvilStateFile(scratch.path));
    await expect(clearing).rejects.toMatchObject({
      code: 'stale_anvil',
      details: { pid: process.pid, port },
      hint: expect.stringContaining(anvilRecordFile(scratch.path)) as string,
    });
  } finally {
    server.close();
    scratch.remove();
  }
});
