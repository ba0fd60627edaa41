import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { LogMark } from '../../core/log-mark.ts';
import { createRecentFacts, type RecentFacts, recentFactsSchema } from './recent-facts.ts';
import { missingEnd, requireWritableDatabase, tryWrite } from '../sqlite/database-files.ts';
import { openWalFile } from '../sqlite/wal-file.ts';
import { noRoom } from '../sqlite/no-room.ts';
import {
  createTxJournal,
  readLogMark,
  txEarlierSchema,
  type TxJournal,
  txJournalSchema,
  txLogMarkSchema,
} from './tx-journal.ts';

/** What the adapter must not forget: what it has sent, and what it has reported. */
export interface ChainStore {
  readonly journal: TxJournal;
  readonly recentFacts: RecentFacts;
  /** What the log had when the newest transaction was written; undefined where none was written beside a log. */
  readonly logMark: LogMark | undefined;
  close(): void;
}

/** The version of the tables; a file of another version is refused. */
const schemaVersion = 3;

/**
 * Opens the adapter's SQLite file, made with its folder where it is missing; `:memory:` for one that is
 * forgotten. Every write is on disk when it resolves.
 *
 * @param logMark how far the log is whose effects are sent, where there is one beside the file.
 * @throws PouwError `chain_store_unusable` for a file that cannot be opened, is damaged or of a newer version.
 */
export function openChainStore(file: string, logMark: () => LogMark | undefined = () => undefined): ChainStore {
  let opened: DatabaseSync | undefined;
  try {
    if (file !== ':memory:') {
      mkdirSync(dirname(file), { recursive: true });
      requireWritableDatabase(file);
    }
    const database = new DatabaseSync(file);
    opened = database;
    prepareSchema(database, file);
    const missing = file === ':memory:' ? undefined : missingEnd(database, file);
    if (missing !== undefined) throw unusable(file, missing);
    tryWrite(database);
    const wal = openWalFile(database, file);
    const durable = wal?.sync ?? ((): Promise<void> => Promise.resolve());
    return {
      logMark: readLogMark(database),
      journal: createTxJournal(database, durable, logMark),
      recentFacts: createRecentFacts(database, durable),
      close: () => {
        database.close();
        wal?.close();
      },
    };
  } catch (error) {
    opened?.close();
    if (error instanceof PouwError) throw error;
    throw noRoom(file, error) ?? unusable(file, errorMessage(error), error);
  }
}

function prepareSchema(database: DatabaseSync, file: string): void {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (found > schemaVersion) throw unusable(file, `it has format ${found}, this pouw reads up to ${schemaVersion}`);
  if (found === schemaVersion) return;
  const first = found === 0 ? `${txJournalSchema} ${recentFactsSchema}` : '';
  const second = found < 2 ? txEarlierSchema : '';
  database.exec(`BEGIN; ${first} ${second} ${txLogMarkSchema} PRAGMA user_version = ${schemaVersion}; COMMIT;`);
}

function unusable(file: string, why: string, cause?: unknown): PouwError {
  return new PouwError('chain_store_unusable', `The chain store ${file} cannot be used.`, {
    class: 'corrupt',
    why,
    hint: 'Check the rights of the folder and the room on its disk; if the file is damaged, restore the data directory from a copy.',
    cause,
  });
}
