import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openSqliteEventStoreReadOnly } from '../../adapters/local/sqlite-event-store.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import { openNdjsonFile } from '../../replay/ndjson-source.ts';
import { type LogSource, storeSource } from '../../replay/source.ts';
import type { NatsLogOptions } from './nats-log.ts';

/** A log of the command line, open for reading. */
export interface OpenLog {
  readonly source: LogSource;
  /** The data directory it lies in, undefined for an exported file. */
  readonly directory: string | undefined;
  /** The database it is, undefined for an exported file. */
  readonly database: string | undefined;
  /** Where manifests of anchors are; left out where the directory or the file has them. */
  readonly content?: (digest: Hex) => Promise<Json | undefined>;
  close(): Promise<void>;
}

/** What every SQLite database begins with. */
const sqliteMagic = 'SQLite format 3\0';
/** What every exported log begins with: canonical JSON has the header's members in order. */
const exportStart = '{';

/**
 * Opens SOURCE: a data directory (or the log file in one), an exported NDJSON file, or a network's servers of NATS.
 *
 * @throws PouwError `log_not_found`, `not_a_log`, `log_unreadable`, `log_corrupt`, `log_malformed`, `log_newer_version`.
 */
export async function openLog(given: string, onNats: NatsLogOptions = {}): Promise<OpenLog> {
  if (/^(nats|tls):\/\//.test(given)) {
    // Its client takes longer to load than most commands take.
    const { openNatsLog } = await import('./nats-log.ts');
    return openNatsLog(given, onNats);
  }
  const path = resolve(given);
  const start = startOf(path);
  if (start === undefined || start === sqliteMagic) return openStore(path, start === undefined ? path : dirname(path));
  if (!start.startsWith(exportStart)) throw notALog(path);
  return { source: await openNdjsonFile(path), directory: undefined, database: undefined, close: async () => {} };
}

function openStore(path: string, directory: string): OpenLog {
  const store = openSqliteEventStoreReadOnly(path);
  const source = storeSource(path, store, { deployment: null, keys: new Map(), anchors: [] });
  return { source, directory, database: path, close: () => store.close() };
}

/** The first bytes of a file; undefined for a directory. */
function startOf(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return undefined;
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(sqliteMagic.length);
      return bytes.subarray(0, readSync(file, bytes)).toString('latin1');
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
    throw missing ? notFound(path) : unreadable(path, cause);
  }
}

function notFound(path: string): PouwError {
  return new PouwError('log_not_found', `There is nothing at ${path}.`, {
    class: 'not-found',
    hint: 'Name a data directory in which pouw has run, or a file that `pouw log export` wrote.',
    param: 'source',
  });
}

function unreadable(path: string, cause: unknown): PouwError {
  return new PouwError('log_unreadable', `${path} cannot be read.`, {
    class: 'unavailable',
    why: errorMessage(cause),
    hint: 'Check the path and its permissions.',
    param: 'source',
    cause,
  });
}

function notALog(path: string): PouwError {
  return new PouwError('not_a_log', `${path} is neither a data directory nor an exported log.`, {
    class: 'invalid',
    hint: 'Name a data directory in which pouw has run, or a file that `pouw log export` wrote.',
    param: 'source',
  });
}
