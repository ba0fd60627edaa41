import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { errorMessage, PouwError } from '../../core/errors.ts';

/** The write-ahead log of an open database, to be flushed to the disk by its owner. */
export interface WalFile {
  /**
   * Resolves when everything that was committed before the call is on the disk.
   *
   * @throws PouwError `log_io_failed`.
   */
  readonly sync: () => Promise<void>;
  /** Closes it once no flush is under way. */
  readonly close: () => void;
}

/**
 * Takes the flushes to the disk over from SQLite, which holds up the whole thread for each of them: a few tenths of a
 * millisecond on a quiet disk, many on a busy one. SQLite is told `synchronous = NORMAL`, under which a commit is
 * written whole to the write-ahead log but not flushed, and a checkpoint still flushes log and database in their order.
 * What `FULL` adds is one flush of that log after each commit; that is what {@link WalFile.sync} does, off the thread.
 * The descriptor is our own: SQLite keeps its locks on its other two files, so that opening and closing this one
 * releases none.
 *
 * @returns undefined where the file system has no write-ahead log: then SQLite goes on flushing by itself.
 */
export function openWalFile(connection: DatabaseSync, path: string): WalFile | undefined {
  const mode = connection.prepare('PRAGMA journal_mode').get()?.['journal_mode'];
  if (mode !== 'wal') return undefined;
  const descriptor = openSync(`${path}-wal`, 'r+');
  // After a crash of the process alone, commits may be there that nobody has flushed yet.
  fdatasyncSync(descriptor);
  connection.exec('PRAGMA synchronous = NORMAL');
  let underWay = 0;
  let closing = false;
  const closeWhenIdle = (): void => {
    if (closing && underWay === 0) closeSync(descriptor);
  };
  return {
    sync: () =>
      new Promise((resolve, reject) => {
        underWay += 1;
        fdatasync(descriptor, (error) => {
          underWay -= 1;
          closeWhenIdle();
          if (error === null) resolve();
          else reject(failed(path, error));
        });
      }),
    close: () => {
      if (closing) return;
      closing = true;
      closeWhenIdle();
    },
  };
}

function failed(path: string, cause: Error): PouwError {
  return new PouwError('log_io_failed', `The disk did not take what was written to ${path}.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Check the disk and start again; nothing that was acknowledged is lost.',
    cause,
  });
}
