import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { BaseDatastore } from 'datastore-core';
import { Key, type Pair } from 'interface-datastore';
import { missingEnd, requireWritableDatabase, tryWrite } from '../sqlite/database-files.ts';

/** Changes that wait in memory; then they are written even if nobody asked. */
const unwrittenMax = 1_024;

/** What helia recognises as "there is no such key". */
class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

/**
 * The datastore in which helia keeps its pins, on one SQLite file. Changes wait in memory until `sync`
 * writes them in one transaction, so that a batch of pins costs one fsync instead of two each.
 */
export class PinDatastore extends BaseDatastore {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #remove: StatementSync;
  /** Keys written since the last sync; null for deleted. */
  readonly #unwritten = new Map<string, Uint8Array | null>();

  /** Opens or creates the file. @throws Error where it is damaged or unwritable: every later write would fail. */
  constructor(file: string) {
    super();
    requireWritableDatabase(file);
    this.#database = new DatabaseSync(file);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#database.exec('CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID');
    const check = missingEnd(this.#database, file) ?? this.#quickCheck();
    if (check !== 'ok') {
      this.#database.close();
      throw new Error(`pins.db is damaged: ${check}`);
    }
    tryWrite(this.#database);
    this.#select = this.#database.prepare('SELECT value FROM entries WHERE key = ?');
    this.#upsert = this.#database.prepare('INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)');
    this.#remove = this.#database.prepare('DELETE FROM entries WHERE key = ?');
  }

  override put(key: Key, value: Uint8Array): Key {
    this.#change(key, value);
    return key;
  }

  override get(key: Key): Uint8Array {
    const value = this.#read(key);
    if (value === undefined) throw new NotFoundError(`no entry ${key.toString()}`);
    return value;
  }

  override has(key: Key): boolean {
    return this.#read(key) !== undefined;
  }

  override delete(key: Key): void {
    this.#change(key, null);
  }

  /** Makes every change so far durable. */
  sync(): void {
    if (this.#unwritten.size === 0) return;
    this.#database.exec('BEGIN');
    try {
      for (const [key, value] of this.#unwritten) {
        if (value === null) this.#remove.run(key);
        else this.#upsert.run(key, value);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#unwritten.clear();
  }

  /** Writes what waits and closes the file. */
  close(): void {
    try {
      this.sync();
    } finally {
      this.#database.close();
    }
  }

  override _all(): Generator<Pair> {
    return this.#entries();
  }

  override *_allKeys(): Generator<Key> {
    for (const { key } of this.#entries()) yield key;
  }

  /** `ok`, or what is wrong. */
  #quickCheck(): string {
    return String(Object.values(this.#database.prepare('PRAGMA quick_check(1)').get() ?? {})[0]);
  }

  #change(key: Key, value: Uint8Array | null): void {
    this.#unwritten.set(key.toString(), value);
    if (this.#unwritten.size > unwrittenMax) this.sync();
  }

  *#entries(): Generator<Pair> {
    this.sync();
    for (const row of this.#database.prepare('SELECT key, value FROM entries ORDER BY key').iterate()) {
      yield { key: new Key(row.key as string), value: row.value as Uint8Array };
    }
  }

  #read(key: Key): Uint8Array | undefined {
    const unwritten = this.#unwritten.get(key.toString());
    if (unwritten !== undefined) return unwritten ?? undefined;
    return this.#select.get(key.toString())?.value as Uint8Array | undefined;
  }
}
