import { DatabaseSync } from 'node:sqlite';

/** The raw thing below the event store: node:sqlite with the same durability, one table, one index. */
export class RawSqlite {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #select;
  #position = 0;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 4096;
      PRAGMA cache_size = -32768;
      CREATE TABLE commits (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (stream, version)) STRICT;
    `);
    this.#insert = this.#database.prepare('INSERT INTO commits (position, stream, version, body) VALUES (?, ?, ?, ?)');
    this.#select = this.#database.prepare('SELECT body FROM commits ORDER BY position', { returnArrays: true });
  }

  /** Inserts texts in one transaction: one flush to the disk. */
  append(bodies: readonly string[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    for (const body of bodies) {
      this.#position += 1;
      this.#insert.run(this.#position, 1, this.#position, body);
    }
    this.#database.exec('COMMIT');
  }

  /** Reads and parses everything. @returns how many rows there were. */
  readAll(): number {
    let rows = 0;
    for (const row of this.#select.iterate()) {
      const [body] = row as unknown as [string];
      JSON.parse(body);
      rows += 1;
    }
    return rows;
  }

  close(): void {
    this.#database.close();
  }
}
