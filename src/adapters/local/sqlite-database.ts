import { existsSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { logFileName, syncDirectory } from './data-dir.ts';
import { type FileLock, tryLockFile } from './file-lock.ts';
import { GroupCommit } from './group-commit.ts';
import { reportError } from './report-error.ts';
import { corruptLog, sqliteError, unwritable } from './sqlite-errors.ts';
import { checkSchema, createSchema } from './sqlite-schema.ts';
import { systemClock } from './system-clock.ts';
import { missingEnd, requireWritableDatabase, touchDatabase, tryWrite } from '../sqlite/database-files.ts';
import { openWalFile, type WalFile } from '../sqlite/wal-file.ts';

/** How to open a {@link SqliteDatabase}. */
export interface SqliteDatabaseOptions {
  /** The file, made where there is none; `:memory:` for one that is gone when it is closed. */
  readonly path: string;
  /** For what may lag; default the system's. */
  readonly clock?: Clock;
  /** Runs something soon, after what runs now; default `setImmediate`. A simulator hands in its own. */
  readonly schedule?: (run: () => void) => void;
  /** Told of failures that no promise can report; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** The one database of a node: log, snapshots, journal and cursors share its transactions. */
export interface SqliteDatabase {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly connection: DatabaseSync;
  readonly writes: GroupCommit;
  readonly clock: Clock;
  readonly schedule: (run: () => void) => void;
  readonly onError: (error: unknown) => void;
  /** Runs a read; what it throws becomes a PouwError. */
  reading<T>(read: () => T): T;
  /** Makes everything durable and closes the file. */
  close(): Promise<void>;
}

/**
 * Durability: `synchronous = FULL` flushes the write-ahead log at every commit until {@link openWalFile} takes that
 * over, and `fullfsync` makes SQLite's own flushes reach the disk on macOS, where a plain one stops at the drive's
 * cache. The checkpoint of 16 MiB at a time trades few long pauses against many short ones; `journal_size_limit`
 * gives the room of a burst back.
 */
const writerPragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA wal_autocheckpoint = 4096;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -32768;
  PRAGMA cell_size_check = ON;
  PRAGMA trusted_schema = OFF;
`;

/** How long a statement waits for a foreign lock, such as that of a backup tool, in milliseconds. */
const foreignLockMs = 1_000;

/**
 * Opens the database for writing; this process is then its only writer.
 *
 * @throws PouwError `data_dir_in_use`, `data_dir_unwritable`, `log_corrupt`, `log_newer_version`.
 */
export function openSqliteDatabase(options: SqliteDatabaseOptions): SqliteDatabase {
  if (options.path === ':memory:') return openDatabase(':memory:', options, undefined);
  const path = resolve(options.path);
  if (existsSync(path) && !statSync(path).isFile()) throw corruptLog(path, 'It is not a file.');
  requireWritableLog(path);
  const lock = lockDatabase(path);
  try {
    return openDatabase(path, options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function requireWritableLog(path: string): void {
  try {
    for (const database of [path, lockOf(path)]) requireWritableDatabase(database);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function lockOf(path: string): string {
  return `${path}-lock`;
}

function lockDatabase(path: string): FileLock {
  try {
    const lock = tryLockFile(lockOf(path));
    if (lock !== undefined) return lock;
  } catch (error) {
    throw sqliteError(path, error);
  }
  throw new PouwError('data_dir_in_use', `The event log at ${path} is open in another process.`, {
    class: 'unavailable',
    why: 'One process writes to an event log at a time.',
    hint: 'Stop the other process, or use another --data directory.',
    param: 'data',
  });
}

function openDatabase(path: string, options: SqliteDatabaseOptions, lock: FileLock | undefined): SqliteDatabase {
  let connection: DatabaseSync | undefined;
  let wal: WalFile | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: foreignLockMs });
    connection.exec(writerPragmas);
    createSchema(connection);
    checkSchema(connection, path);
    const missing = path === ':memory:' ? undefined : missingEnd(connection, path);
    if (missing !== undefined) throw corruptLog(path, missing);
    tryWrite(connection);
    wal = openWalFile(connection, path);
  } catch (error) {
    connection?.close();
    throw sqliteError(path, error);
  }
  if (path !== ':memory:') syncDirectory(dirname(path));
  return wrap(connection, path, options, { readOnly: false, lock, wal });
}

/**
 * Opens the log in a data directory, or a log file, for reading only. It works while a node writes to it,
 * after a crash, and on a medium that cannot be written.
 *
 * @throws PouwError `log_not_found`, `log_unreadable`, `log_corrupt`, `log_newer_version`.
 */
export function openSqliteDatabaseReadOnly(
  source: string,
  options: Omit<SqliteDatabaseOptions, 'path'> = {},
): SqliteDatabase {
  const given = resolve(source);
  const path = lookAt(given)?.isDirectory() === true ? join(given, logFileName) : given;
  if (lookAt(path) === undefined) {
    throw new PouwError('log_not_found', `There is no event log at ${path}.`, {
      class: 'not-found',
      hint: 'Name a data directory in which pouw has run, or an event log.',
      param: 'data',
    });
  }
  let connection: DatabaseSync | undefined;
  try {
    connection = openReader(path);
    checkSchema(connection, path);
  } catch (error) {
    connection?.close();
    throw sqliteError(path, error);
  }
  return wrap(connection, path, options, { readOnly: true, lock: undefined, wal: undefined });
}

/** What is known of a path; undefined where there is nothing. @throws PouwError `log_unreadable`. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    // A part of the path that is a file has nothing below it.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOTDIR') return undefined;
    throw new PouwError('log_unreadable', `${path} cannot be looked at.`, {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Check the path and its permissions.',
      param: 'data',
      cause,
    });
  }
}

/**
 * A reader shares an index file with the writer, and makes it where there is none. Where it cannot, and the
 * log was closed cleanly, the file cannot change under us and may be opened as immutable.
 */
function openReader(path: string): DatabaseSync {
  const reader = new DatabaseSync(path, { readOnly: true, timeout: foreignLockMs });
  try {
    reader.prepare('SELECT count(*) FROM sqlite_schema').get();
    return reader;
  } catch (error) {
    reader.close();
    const unfinished = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
    if (unfinished) throw error;
  }
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

/** What a database has beside its connection. */
interface Holdings {
  readonly readOnly: boolean;
  readonly lock: FileLock | undefined;
  readonly wal: WalFile | undefined;
}

function wrap(
  connection: DatabaseSync,
  path: string,
  options: Omit<SqliteDatabaseOptions, 'path'>,
  { readOnly, lock, wal }: Holdings,
): SqliteDatabase {
  const clock = options.clock ?? systemClock;
  const schedule = options.schedule ?? ((run) => void setImmediate(run));
  const onError = options.onError ?? reportError;
  const explain = (error: unknown): unknown => sqliteError(path, error);
  const touch = (): void => touchDatabase(connection);
  const writes = new GroupCommit(connection, { clock, schedule, sync: wal?.sync, touch, explain, onError });
  return {
    path,
    readOnly,
    connection,
    writes,
    clock,
    schedule,
    onError,
    reading: (read) => {
      try {
        return read();
      } catch (error) {
        throw explain(error);
      }
    },
    close: async () => {
      try {
        if (connection.isOpen) await writes.flush();
      } finally {
        await writes.end();
        if (connection.isOpen) connection.close();
        wal?.close();
        lock?.release();
      }
    },
  };
}
