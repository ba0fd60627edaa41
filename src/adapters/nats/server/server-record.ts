import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PouwError } from '../../../core/errors.ts';
import { isPortTaken, untilPortFree } from '../../process/port.ts';
import {
  commandLine,
  endProcess,
  isAlive,
  isOwnedByAnother,
  isRunning,
  type ProcessOwner,
} from '../../process/running-process.ts';

/** A server that we started: enough to find one that outlived us. */
export interface NatsServerRecord {
  readonly pid: number;
  /** The port for clients. */
  readonly port: number;
  /** The pouw that started it. */
  readonly owner: ProcessOwner;
}

const fileName = 'server.json';

/** The configuration file in a server's folder; the program's command line names it. */
export function natsConfigFile(directory: string): string {
  return join(directory, 'server.conf');
}

/** Reads the record of a server's folder; undefined where there is none or it cannot be understood. */
export async function readNatsRecord(directory: string): Promise<NatsServerRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, fileName), 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is NatsServerRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'port' in value && 'owner' in value)) return false;
  const { pid, port, owner } = value;
  if (typeof owner !== 'object' || owner === null || !('pid' in owner && 'command' in owner)) return false;
  return [pid, port, owner.pid].every(Number.isSafeInteger) && typeof owner.command === 'string';
}

/** Writes the record, whole or not at all. */
export async function writeNatsRecord(directory: string, record: NatsServerRecord): Promise<void> {
  const file = join(directory, fileName);
  await writeFile(`${file}.new`, `${JSON.stringify(record)}\n`);
  await rename(`${file}.new`, file);
}

/** Forgets the record. */
export async function removeNatsRecord(directory: string): Promise<void> {
  await rm(join(directory, fileName), { force: true });
}

/**
 * Looks for a server left over on a folder and stops it. One whose command line names the folder's configuration is
 * ours; a recorded process that is something else by now is left alone.
 *
 * @returns what was stopped; undefined where there was nothing.
 * @throws PouwError `nats_in_use` where the pouw that started it still runs; `stale_nats` where a recorded process
 *   lives, its port is taken, and the system does not tell what it is, or where it does not end.
 */
export async function clearStaleNats(directory: string): Promise<NatsServerRecord | undefined> {
  const record = await readNatsRecord(directory);
  if (record === undefined || !(await isRunning(record.pid))) return undefined;
  const command = await commandLine(record.pid);
  if (command === undefined) {
    if (isAlive(record.pid) && (await isPortTaken(record.port)))
      throw staleNats(record, 'This system does not tell what that process is.');
    return undefined;
  }
  if (!command.includes(natsConfigFile(directory))) return undefined;
  if (await isOwnedByAnother(record.owner)) throw natsInUse(directory, record.owner.pid);
  if (!(await endProcess(record.pid))) throw staleNats(record, 'It does not end.');
  await untilPortFree(record.port);
  await removeNatsRecord(directory);
  return record;
}

/** The error for a folder whose server belongs to a process that runs. */
export function natsInUse(directory: string, pid: number): PouwError {
  return new PouwError('nats_in_use', `A NATS server of process ${pid} runs on ${directory}.`, {
    class: 'conflict',
    hint: 'Stop it first, or choose another folder.',
    details: { pid },
  });
}

function staleNats({ pid, port }: NatsServerRecord, why: string): PouwError {
  return new PouwError('stale_nats', `Process ${pid}, perhaps a NATS server of an earlier start, holds port ${port}.`, {
    class: 'unavailable',
    why,
    hint: `Look at process ${pid}; if it is a NATS server of yours, end it and start again.`,
    details: { pid, port },
  });
}
