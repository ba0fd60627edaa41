import { accessSync, constants, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** What SQLite calls the files that it keeps beside a database. */
const suffixes = ['', '-wal', '-shm', '-journal'] as const;

/**
 * Refuses a database of which a part is there and cannot be written, or is no file, before SQLite opens it: SQLite would open it for
 * reading, leave an index beside it that has the same rights, and fail at the first write only.
 *
 * @throws Error of Node that names the file.
 */
export function requireWritableDatabase(path: string): void {
  for (const suffix of suffixes) {
    const file = `${path}${suffix}`;
    requireWritable(file);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error(`${file} is a directory`);
  }
}

/** Refuses a file or folder that is there and cannot be written. @throws Error of Node that names it. */
export function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * What the end of an open database lacks, in a sentence; undefined where nothing is missing. SQLite tells of pages that
 * are missing, but takes a page of which the rest is missing for one that ends in zeros. The file is not opened: closing
 * it would drop the locks that SQLite has on it.
 */
export function missingEnd(connection: DatabaseSync, path: string): string | undefined {
  const pages = numberOf(connection, 'page_count');
  // In the middle of a checkpoint the file may be shorter than it says; then the log beside it has the pages.
  if (sizeOf(`${path}-wal`) > 0 || sizeOf(`${path}-journal`) > 0) return undefined;
  const wanted = pages * numberOf(connection, 'page_size');
  const size = sizeOf(path);
  return size < wanted ? `It says that it has ${wanted} bytes, and has ${size}.` : undefined;
}

/** Writes the version of the tables once more: a write that changes nothing. */
export function touchDatabase(connection: DatabaseSync): void {
  connection.exec(`PRAGMA user_version = ${numberOf(connection, 'user_version')}`);
}

/**
 * Writes, and takes it back: some of what SQLite cannot do with the files beside a database it tells at the first write.
 *
 * @throws Error of node:sqlite.
 */
export function tryWrite(connection: DatabaseSync): void {
  connection.exec('BEGIN IMMEDIATE');
  touchDatabase(connection);
  connection.exec('ROLLBACK');
}

function numberOf(connection: DatabaseSync, pragma: 'page_count' | 'page_size' | 'user_version'): number {
  return Number(connection.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

/** In bytes; 0 for a file that is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
