import type { DatabaseSync } from 'node:sqlite';
import { PouwError } from '../../core/errors.ts';
import { corruptLog } from './sqlite-errors.ts';

/** The version of the tables this code writes, and the newest it opens. */
export const schemaVersion = 1;

/** Marks the file as ours: "pouw" in ASCII, in the header field SQLite has for it. */
const applicationId = 0x70_6f_75_77;

/**
 * `commits` is the log. A commit is stored once, as its canonical JSON; the other columns only find it. A
 * stream's name is replaced by a number, which halves the cost of the index on interleaved streams.
 * The rest are caches and marks that the log could do without.
 */
const tables = `
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE commits (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (stream, version)
  ) STRICT;
  CREATE TABLE snapshots (
    stream TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    commit_hash TEXT NOT NULL,
    machine_version INTEGER NOT NULL,
    state_hash TEXT NOT NULL,
    state TEXT NOT NULL
  ) STRICT;
  CREATE TABLE effect_watermarks (stream TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE effects_done (
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (stream, version, n)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return Number(row?.[name] ?? 0);
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0;
}

/** Makes the tables in a new database; all or none. */
export function createSchema(database: DatabaseSync): void {
  if (!isEmpty(database)) return;
  database.exec(`
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
    ${tables}
    COMMIT;
  `);
}

const tableNames = ['commits', 'cursors', 'effect_watermarks', 'effects_done', 'snapshots', 'streams'];

/** Whether all tables are there and the end of the log can be reached. */
function checkTables(database: DatabaseSync, path: string): void {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const missing = tableNames.filter((name) => !rows.some((row) => row.name === name));
  if (missing.length > 0) throw corruptLog(path, `It lacks the tables ${missing.join(', ')}.`);
  database.prepare('SELECT max(position) FROM commits').get();
}

/**
 * Refuses a database that is not a log of ours. This is no check of its contents: that reads all of it.
 *
 * @throws PouwError `log_corrupt`, `log_newer_version`.
 */
export function checkSchema(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) {
    throw corruptLog(path, 'It is a database, but not an event log of pouw.');
  }
  const version = pragma(database, 'user_version');
  if (version === schemaVersion) {
    checkTables(database, path);
    return;
  }
  if (version < schemaVersion) throw corruptLog(path, `Its schema version is ${version}, which no pouw has written.`);
  throw new PouwError(
    'log_newer_version',
    `The event log at ${path} has schema version ${version}; this pouw reads up to ${schemaVersion}.`,
    {
      class: 'corrupt',
      why: 'It was written by a newer version of pouw.',
      hint: 'Run the newer version, or use another --data directory.',
    },
  );
}
