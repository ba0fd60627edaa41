import { errorMessage, PouwError } from '../../core/errors.ts';

/** SQLite's primary result code for a disk, or a database, that takes no more. */
const sqliteFull = 13;

/** The error for a database that could not be written for want of room; undefined where it was something else. */
export function noRoom(what: string, error: unknown): PouwError | undefined {
  if (!(error instanceof Error)) return undefined;
  const isFull = 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === sqliteFull;
  if (!isFull && !('code' in error && error.code === 'ENOSPC')) return undefined;
  return new PouwError('disk_full', `There is no room left to write ${what}.`, {
    class: 'unavailable',
    why: errorMessage(error),
    hint: 'Make room and start again: nothing is damaged.',
    cause: error,
  });
}
