import { execFile } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Who we started: enough to find an anvil that outlived us. */
export interface AnvilRecord {
  readonly pid: number;
  readonly port: number;
  /** The pouw that started it: process id and command line, since ids are used again. */
  readonly owner: { readonly pid: number; readonly command: string };
}

const fileName = 'anvil.json';

/** Reads the record of a chain folder; undefined where there is none or it cannot be understood. */
export async function readAnvilRecord(directory: string): Promise<AnvilRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, fileName), 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is AnvilRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'port' in value && 'owner' in value)) return false;
  const { pid, port, owner } = value;
  if (typeof owner !== 'object' || owner === null || !('pid' in owner && 'command' in owner)) return false;
  return [pid, port, owner.pid].every(Number.isSafeInteger) && typeof owner.command === 'string';
}

/** Writes the record, whole or not at all. */
export async function writeAnvilRecord(directory: string, record: AnvilRecord): Promise<void> {
  const file = join(directory, fileName);
  await writeFile(`${file}.new`, `${JSON.stringify(record)}\n`);
  await rename(`${file}.new`, file);
}

/** Forgets the record. */
export async function removeAnvilRecord(directory: string): Promise<void> {
  await rm(join(directory, fileName), { force: true });
}

/** Whether a process with this id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a process runs: one that has ended and was not waited for has an id but no command line. */
export async function isRunning(pid: number): Promise<boolean> {
  return isAlive(pid) && (await commandLine(pid)) !== '';
}

/** The command line of a living process, empty when it has ended; undefined where the system does not tell. */
export async function commandLine(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // No /proc, as on macOS: ask ps.
  }
  try {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'command='], {
      timeout: 5_000,
    });
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch {
    return undefined;
  }
}
