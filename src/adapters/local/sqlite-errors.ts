import { errorMessage, PouwError, type PouwErrorOptions } from '../../core/errors.ts';

// Primary result codes of SQLite; an extended code carries its primary one in the low byte.
const sqlite = {
  perm: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

/** Whether node:sqlite refused because the database was closed. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
}

/** The primary SQLite result code of an error that node:sqlite threw, undefined for any other error. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** The error for a log that cannot be read as one. `details` says where, for programs. */
export function corruptLog(
  path: string,
  why: string,
  options: Pick<PouwErrorOptions, 'cause' | 'details'> = {},
): PouwError {
  return new PouwError('log_corrupt', `The event log at ${path} is damaged.`, {
    ...options,
    class: 'corrupt',
    why,
    hint: 'Keep a copy of the data directory, find the damage with `pouw log verify`, and restore a backup or use another --data directory.',
  });
}

/** The error for a data directory, or a file in it, that cannot be written: `disk_full` where it is for want of room. */
export function unwritable(path: string, cause: unknown): PouwError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') return diskFull(path, cause);
  return new PouwError('data_dir_unwritable', `Cannot write to ${path}.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Give this user the right to write there, or use another --data directory.',
    param: 'data',
    cause,
  });
}

function diskFull(path: string, cause: unknown): PouwError {
  return new PouwError('disk_full', `There is no room left to write ${path}.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Free some space; nothing that was acknowledged is lost.',
    cause,
  });
}

/**
 * Turns what node:sqlite throws about the database at `path` into a {@link PouwError}; anything else stays
 * what it is.
 */
export function sqliteError(path: string, error: unknown): unknown {
  const why = errorMessage(error);
  if (isClosed(error))
    return new PouwError('log_closed', `The event log at ${path} is closed.`, {
      class: 'unavailable',
      why,
      cause: error,
    });
  switch (primaryCode(error)) {
    case undefined:
      return error;
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return corruptLog(path, why, { cause: error });
    case sqlite.perm:
    case sqlite.readOnly:
    case sqlite.cannotOpen:
      return unwritable(path, error);
    case sqlite.busy:
    case sqlite.locked:
      return new PouwError('data_dir_in_use', `Another process is writing to ${path}.`, {
        class: 'unavailable',
        why,
        hint: 'Stop the other process, or use another --data directory.',
        cause: error,
      });
    case sqlite.full:
      return diskFull(path, error);
    default:
      return new PouwError('log_io_failed', `Reading or writing ${path} failed.`, {
        class: primaryCode(error) === sqlite.ioError ? 'unavailable' : 'internal',
        why,
        hint: 'Check the disk; nothing that was acknowledged is lost.',
        cause: error,
      });
  }
}
