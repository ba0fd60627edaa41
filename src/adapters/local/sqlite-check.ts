import type { StreamId } from '../../core/ids.ts';
import { errorMessage } from '../../core/errors.ts';
import { missingEnd } from '../sqlite/database-files.ts';
import { openSqliteDatabaseReadOnly, type SqliteDatabase } from './sqlite-database.ts';

/** Something wrong with a database that reading its commits in order does not show. */
export interface DatabaseFault {
  /** The commit it is about, as far as one is known. */
  readonly stream?: StreamId;
  readonly version?: number;
  readonly position?: number;
  /** One sentence. */
  readonly message: string;
}

/** Faults that are looked for; one is enough to distrust the file. */
const faultsMax = 10;

/**
 * Commits are found by columns beside their text. A column that says something else than the text makes a
 * node load another history than the one that reading in order shows.
 */
const disagreeing = `
  SELECT c.position, c.version, s.name AS stream FROM commits c LEFT JOIN streams s ON s.id = c.stream
  WHERE json_valid(c.body) AND (
    s.name IS NOT json_extract(c.body, '$.stream') OR c.version IS NOT json_extract(c.body, '$.version')
  ) ORDER BY c.position LIMIT ${faultsMax}`;

/**
 * Checks what the text of the commits does not cover: the columns that find them, indexes and pages. Reads
 * the whole file; works while a node writes to it.
 *
 * @param source a data directory or a log file.
 * @throws PouwError `log_not_found`, `log_corrupt`, `log_newer_version` where it cannot be opened.
 */
export async function checkSqliteLog(source: string): Promise<DatabaseFault[]> {
  const database = openSqliteDatabaseReadOnly(source);
  try {
    return [...part(database, columnFaults), ...part(database, pageFaults), ...part(database, endFaults)];
  } finally {
    await database.close();
  }
}

/** A file may be damaged so that the question itself fails: that is its answer. */
function part(database: SqliteDatabase, find: (database: SqliteDatabase) => DatabaseFault[]): DatabaseFault[] {
  try {
    return find(database);
  } catch (error) {
    return [{ message: `The database cannot be read through: ${errorMessage(error)}.` }];
  }
}

function columnFaults({ connection }: SqliteDatabase): DatabaseFault[] {
  return connection
    .prepare(disagreeing)
    .all()
    .map((row) => {
      const { position, version, stream } = row as { position: number; version: number; stream: StreamId | null };
      const name = `${stream ?? 'no stream'}@${version}`;
      const message = `The database lists the commit at position ${position} as ${name}, its text is of another.`;
      return { ...(stream === null ? {} : { stream, version }), position, message };
    });
}

function pageFaults({ connection }: SqliteDatabase): DatabaseFault[] {
  const found = connection
    .prepare(`PRAGMA integrity_check(${faultsMax})`)
    .all()
    .map((row) => String(row['integrity_check']));
  if (found.length === 1 && found[0] === 'ok') return [];
  return found.map((text) => ({ message: `The database is damaged: ${text.replaceAll('\n', '; ')}.` }));
}

function endFaults({ connection, path }: SqliteDatabase): DatabaseFault[] {
  const missing = missingEnd(connection, path);
  return missing === undefined ? [] : [{ message: `The database is cut off: ${missing}` }];
}
