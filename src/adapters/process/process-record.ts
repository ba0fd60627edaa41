import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isPortTaken, untilPortFree } from './port.ts';
import {
  commandLine,
  endProcess,
  isAlive,
  isOwnedByAnother,
  isRunning,
  orphansOf,
  type ProcessOwner,
} from './running-process.ts';

/** A program that we started: enough to find one that outlived us. */
export interface ProcessRecord {
  readonly pid: number;
  /** The port it answers at. */
  readonly port: number;
  /** The pouw that started it. */
  readonly owner: ProcessOwner;
  /** Its command line, where it was asked for: ids are used again. Records of before have none. */
  readonly command?: string | undefined;
}

/** Reads a record; undefined where there is none or it cannot be understood. */
export async function readProcessRecord(file: string): Promise<ProcessRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ProcessRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'port' in value && 'owner' in value)) return false;
  const { pid, port, owner } = value;
  if (typeof owner !== 'object' || owner === null || !('pid' in owner && 'command' in owner)) return false;
  const isPid = (id: unknown): boolean => Number.isSafeInteger(id) && Number(id) > 0;
  const isPort = Number.isSafeInteger(port) && Number(port) > 0 && Number(port) <= 65_535;
  return isPid(pid) && isPort && isPid(owner.pid) && typeof owner.command === 'string';
}

/** Writes a record, whole or not at all. */
export async function writeProcessRecord(file: string, record: ProcessRecord): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(record)}\n`);
  await rename(`${file}.new`, file);
}

/** Forgets a record. */
export async function removeProcessRecord(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** How a program that outlived its pouw is known and ended. */
export interface Leftover {
  /** Whether a command line is that of our program; a recorded process that is something else is left alone. */
  readonly isOurs: (command: string) => boolean;
  /** The error where the pouw that started it still runs. */
  readonly inUse: (record: ProcessRecord) => Error;
  /** The error where it cannot be told what it is, or where it does not end. */
  readonly stale: (record: ProcessRecord, why: string) => Error;
  /** What is to be done before it is ended. */
  readonly beforeEnd?: (record: ProcessRecord) => Promise<void>;
}

/** Looks for a program that outlived its pouw and stops it. @returns what was stopped; undefined where nothing was. */
export async function clearLeftover(file: string, leftover: Leftover): Promise<ProcessRecord | undefined> {
  const record = await readProcessRecord(file);
  if (record === undefined || !(await isRunning(record.pid))) return undefined;
  const command = await commandLine(record.pid);
  if (command === undefined) {
    if (isAlive(record.pid) && (await isPortTaken(record.port)))
      throw leftover.stale(record, 'This system does not tell what that process is.');
    return undefined;
  }
  // Records of before do not say what was started.
  const isOurs = record.command === undefined ? leftover.isOurs(command) : command === record.command;
  if (!isOurs) return undefined;
  if (await isOwnedByAnother(record.owner)) throw leftover.inUse(record);
  await leftover.beforeEnd?.(record);
  if (!(await endProcess(record.pid))) throw leftover.stale(record, 'It does not end.');
  await untilPortFree(record.port);
  await removeProcessRecord(file);
  return record;
}

/**
 * Ends programs that nothing says were started: a pouw that is killed right after it has started one leaves no record.
 *
 * @param isOurs whether a command line is that of our program on our folder, and of nothing else.
 * @returns those that were ended.
 */
export async function endUnrecorded(isOurs: (command: string) => boolean): Promise<number[]> {
  const ended: number[] = [];
  for (const pid of await orphansOf(isOurs, isPouw)) if (await endProcess(pid)) ended.push(pid);
  return ended;
}

/** Whether a command line may be that of a pouw: it runs on Node, under whatever name, or says so. */
function isPouw(command: string): boolean {
  return /pouw|(^|[\\/])node[^\\/ ]*( |$)/.test(command);
}
