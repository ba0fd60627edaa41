import { DatabaseSync } from 'node:sqlite';

/** A lock that is held until it is released or its process ends, however it ends. */
export interface FileLock {
  release(): void;
}

/** Keeps the locks from the garbage collector, which would let go of one whose owner forgot the object. */
const held = new Set<DatabaseSync>();

/**
 * Takes the exclusive lock `path`, undefined where somebody holds it, in this process or another.
 *
 * The lock is an exclusive transaction on an empty SQLite file, so it is the operating system that holds it
 * and lets go of it: a kill -9 leaves nothing stale behind, and a recycled process id cannot pass for the
 * owner. Never open the file by other means: on POSIX, closing it would drop the lock.
 *
 * @throws the error of node:sqlite where the file cannot be written.
 */
export function tryLockFile(path: string): FileLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // No journal file: nothing is ever written.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    held.add(database);
    return {
      release: () => {
        if (held.delete(database)) database.close();
      },
    };
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
