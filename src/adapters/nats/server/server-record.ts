import { join } from 'node:path';
import { PouwError } from '../../../core/errors.ts';
import { clearLeftover, endUnrecorded, type ProcessRecord } from '../../process/process-record.ts';

/** The configuration file in a server's folder; the program's command line names it. */
export function natsConfigFile(directory: string): string {
  return join(directory, 'server.conf');
}

/** Where a server's folder says which process runs on it. */
export function natsRecordFile(directory: string): string {
  return join(directory, 'server.json');
}

/**
 * Looks for a server left over on a folder and stops it. One whose command line names the folder's configuration is
 * ours; a recorded process that is something else by now is left alone.
 *
 * @returns what was stopped; undefined where there was nothing.
 * @throws PouwError `nats_in_use` where the pouw that started it still runs; `stale_nats` where a recorded process
 *   lives, its port is taken, and the system does not tell what it is, or where it does not end.
 */
export async function clearStaleNats(directory: string): Promise<Pick<ProcessRecord, 'pid'> | undefined> {
  const isOurs = (command: string): boolean => `${command} `.includes(` ${natsConfigFile(directory)} `);
  const recorded = await clearLeftover(natsRecordFile(directory), {
    isOurs,
    inUse: ({ owner }) => natsInUse(directory, owner.pid),
    stale: staleNats,
  });
  const [pid] = await endUnrecorded((command) => isOurs(command) && /(^|[\\/])nats-server\S* --config /.test(command));
  return recorded ?? (pid === undefined ? undefined : { pid });
}

/** The error for a folder whose server belongs to a process that runs. */
export function natsInUse(directory: string, pid: number): PouwError {
  return new PouwError('nats_in_use', `A NATS server of process ${pid} runs on ${directory}.`, {
    class: 'conflict',
    hint: 'Stop it first, or choose another folder.',
    details: { pid },
  });
}

function staleNats({ pid, port }: ProcessRecord, why: string): PouwError {
  return new PouwError('stale_nats', `Process ${pid}, perhaps a NATS server of an earlier start, holds port ${port}.`, {
    class: 'unavailable',
    why,
    hint: `Look at process ${pid}; if it is a NATS server of yours, end it and start again.`,
    details: { pid, port },
  });
}
