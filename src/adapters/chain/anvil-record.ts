import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessOwner } from '../process/running-process.ts';

/** Who we started: enough to find an anvil that outlived us. */
export interface AnvilRecord {
  readonly pid: number;
  readonly port: number;
  /** The pouw that started it. */
  readonly owner: ProcessOwner;
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
