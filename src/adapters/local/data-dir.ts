import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PouwError } from '../../core/errors.ts';
import { requireWritable } from '../sqlite/database-files.ts';
import { type FileLock, tryLockFile } from './file-lock.ts';
import { unwritable } from './sqlite-errors.ts';

/** The name of the event log inside a data directory. */
export const logFileName = 'log.sqlite';

const lockFileName = 'lock';
const ownerFileName = 'owner.json';
/** Prompts and answers lie in it in the clear: only its owner may look inside. */
const privateMode = 0o700;

/** A directory that one process owns while it is open. */
export interface DataDir {
  /** Absolute. */
  readonly path: string;
  /** Where the event log is. */
  readonly logPath: string;
  /** The absolute path of something in the directory. */
  file(...names: readonly string[]): string;
  /** Lets another process have it. */
  close(): void;
}

/**
 * Makes the directory where there is none, for its owner only, and takes it for this process. The rights of one that is
 * there are its owner's business and are left alone.
 *
 * @throws PouwError `data_dir_unwritable`; `data_dir_in_use` while another process, or another part of this
 * one, has it open.
 */
export function openDataDir(path: string): DataDir {
  const directory = resolve(path);
  const lock = lockDirectory(directory);
  if (lock === undefined) throw inUse(directory);
  try {
    // Only there to name the owner in the error of the next one; the lock is what counts.
    writeFileSync(join(directory, ownerFileName), `${JSON.stringify({ pid: process.pid })}\n`);
    syncDirectory(directory);
  } catch (error) {
    lock.release();
    throw unwritable(join(directory, ownerFileName), error);
  }
  return {
    path: directory,
    logPath: join(directory, logFileName),
    file: (...names) => join(directory, ...names),
    close: () => lock.release(),
  };
}

function lockDirectory(directory: string): FileLock | undefined {
  makeDataFolder(directory);
  const file = join(directory, lockFileName);
  try {
    // SQLite would open a lock that it cannot write, and then hold nothing.
    for (const path of [directory, file]) requireWritable(path);
    return tryLockFile(file);
  } catch (error) {
    throw unwritable(directory, error);
  }
}

/**
 * Makes a node's folder where there is none, for its owner only.
 *
 * @throws PouwError `data_dir_unwritable`.
 */
export function makeDataFolder(path: string): void {
  const directory = resolve(path);
  try {
    // A path below a folder that this user may not enter cannot even be looked at.
    if (!isFile(directory)) {
      makeDirectory(directory, privateMode);
      return;
    }
  } catch (error) {
    throw unwritable(directory, error);
  }
  throw notADirectory(directory);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function notADirectory(path: string): PouwError {
  return new PouwError('data_dir_unwritable', `${path} is a file and no directory.`, {
    class: 'invalid',
    hint: 'Name a directory with --data, or a path where there is nothing yet.',
    param: 'data',
  });
}

/** Node's own recursion never ends below a directory that exists and takes none, such as /proc. */
function makeDirectory(directory: string, mode?: number): void {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (!existsSync(parent)) makeDirectory(parent);
  try {
    mkdirSync(directory, mode);
  } catch (error) {
    // Somebody else may have made it meanwhile; the lock tells who may have it.
    if (!existsSync(directory)) throw error;
  }
}

function inUse(directory: string): PouwError {
  const pid = ownerOf(directory);
  return new PouwError(
    'data_dir_in_use',
    `The data directory ${directory} is in use${pid === undefined ? '' : ` by process ${pid}`}.`,
    {
      class: 'unavailable',
      why: 'One process writes to a data directory at a time.',
      hint: 'Stop the other process, or use another --data directory.',
      param: 'data',
      details: { directory, ...(pid === undefined ? {} : { pid }) },
    },
  );
}

function ownerOf(directory: string): number | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(directory, ownerFileName), 'utf8'));
    return typeof owner === 'object' && owner !== null && 'pid' in owner && typeof owner.pid === 'number'
      ? owner.pid
      : undefined;
  } catch {
    // The owner has not come to write it yet: the error is as true without a name.
    return undefined;
  }
}

/** Makes the names of new files survive a power failure, where the platform can. */
export function syncDirectory(directory: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(directory, 'r');
  } catch {
    // Windows opens no directories, and its file system needs no such call.
    return;
  }
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
