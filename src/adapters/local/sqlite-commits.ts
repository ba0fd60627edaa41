import type { StatementSync } from 'node:sqlite';
import { assert } from '../../core/assert.ts';
import { type Commit, genesisHash, refuseNewerFormat } from '../../core/commit.ts';
import type { StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import type { AppendResult, StoredCommit, StreamHead } from '../../ports/event-store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { corruptLog } from './sqlite-errors.ts';

/** Where a stream stands, and its number in the database. */
interface Head extends StreamHead {
  readonly id: number;
}

/** What of a commit decides about its append. */
export type CommitKey = Pick<Commit, 'stream' | 'version' | 'prev' | 'hash'>;

type CommitRow = [position: number, version: number, body: string];

const headColumns = 's.id, s.name, c.version, c.position, c.body';
const newestCommit = 'c.position = (SELECT position FROM commits WHERE stream = s.id ORDER BY version DESC LIMIT 1)';

/**
 * The statements on the `commits` table, and the heads in memory that make an append one insert. Nothing here
 * waits: the event store says when.
 */
export class SqliteCommits {
  readonly #database: SqliteDatabase;
  /** The heads used last, the oldest first. Only this process writes, so they are never stale. */
  readonly #heads = new Recent<StreamId, Head>(limits.storeHeadsCachedMax);
  /** Position of the newest commit; undefined when it must be looked up. */
  #lastPosition: number | undefined;
  readonly #insertStream: StatementSync;
  readonly #insertCommit: StatementSync;
  readonly #selectHead: StatementSync;
  readonly #selectHeads: StatementSync;
  readonly #selectVersion: StatementSync;
  readonly #selectStream: StatementSync;
  readonly #selectAll: StatementSync;
  readonly #selectLast: StatementSync;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    const prepare = (sql: string): StatementSync => database.connection.prepare(sql, { returnArrays: true });
    this.#insertStream = prepare(
      'INSERT INTO streams (name) VALUES (?) ON CONFLICT DO UPDATE SET name = name RETURNING id',
    );
    this.#insertCommit = prepare('INSERT INTO commits (position, stream, version, body) VALUES (?, ?, ?, ?)');
    this.#selectHead = prepare(
      `SELECT ${headColumns} FROM streams s JOIN commits c ON ${newestCommit} WHERE s.name = ?`,
    );
    this.#selectHeads = prepare(
      `SELECT ${headColumns} FROM streams s JOIN commits c ON ${newestCommit} WHERE s.name > ? ORDER BY s.name LIMIT ?`,
    );
    this.#selectVersion = prepare(
      'SELECT c.position, c.version, c.body FROM streams s JOIN commits c ON c.stream = s.id WHERE s.name = ? AND c.version = ?',
    );
    this.#selectStream = prepare(
      'SELECT c.position, c.version, c.body FROM streams s JOIN commits c ON c.stream = s.id WHERE s.name = ? AND c.version BETWEEN ? AND ? ORDER BY c.version',
    );
    this.#selectAll = prepare('SELECT position, version, body FROM commits WHERE position >= ? ORDER BY position');
    this.#selectLast = prepare('SELECT coalesce(max(position), 0) FROM commits');
    database.writes.onRollback(() => this.#forget());
  }

  /** Appends inside the transaction of the caller. `body` is the commit's canonical JSON. */
  append(commit: CommitKey, body: string): AppendResult {
    const head = this.#head(commit.stream);
    const version = head?.version ?? 0;
    if (commit.version === version + 1 && commit.prev === (head?.hash ?? genesisHash)) {
      return { outcome: 'stored', position: this.#insert(commit, head?.id, body) };
    }
    if (commit.version <= version) {
      const position = this.#positionOf(commit, head);
      if (position !== undefined) return { outcome: 'duplicate', position };
    }
    return { outcome: 'conflict', version };
  }

  /** The head of a stream. */
  head(stream: StreamId): StreamHead | undefined {
    const head = this.#database.reading(() => this.#head(stream));
    return head && { stream, version: head.version, hash: head.hash, position: head.position };
  }

  /** The heads of the streams after `afterStream`, a page of them. */
  headsAfter(afterStream: string): StreamHead[] {
    return this.#database.reading(() => {
      const rows = this.#selectHeads.all(afterStream, limits.storePageCommitsMax) as unknown[];
      return rows.map((row) => {
        const { stream, version, hash, position } = this.#toHead(row);
        return { stream, version, hash, position };
      });
    });
  }

  /** A page of a stream's commits. A version that is missing in the middle is an error, not a gap. */
  streamPage(stream: StreamId, fromVersion: number, toVersion: number): StoredCommit[] {
    const page = this.#page(this.#selectStream, stream, fromVersion, toVersion);
    page.forEach(({ commit, position }, index) => {
      if (commit.stream === stream && commit.version === fromVersion + index) return;
      throw this.#corrupt(position, `Commit ${stream}@${fromVersion + index} is missing or in the wrong place.`);
    });
    return page;
  }

  /** The position of the newest commit; 0 for none. */
  lastPosition(): number {
    if (this.#lastPosition !== undefined) return this.#lastPosition;
    const row = this.#selectLast.get() as unknown as [number] | undefined;
    return row?.[0] ?? 0;
  }

  /** A page of all commits, in the store's order. */
  page(fromPosition: number): StoredCommit[] {
    return this.#page(this.#selectAll, fromPosition);
  }

  /** What cannot be read ends the page before it and is thrown by the next one: the sound commits come first. */
  #page(select: StatementSync, ...parameters: (string | number)[]): StoredCommit[] {
    return this.#database.reading(() => {
      const page: StoredCommit[] = [];
      let bytes = 0;
      try {
        for (const row of select.iterate(...parameters)) {
          const [position, version, body] = row as unknown as CommitRow;
          page.push({ position, commit: this.#parse(position, version, body) });
          bytes += body.length;
          if (page.length >= limits.storePageCommitsMax || bytes >= limits.storePageBytesMax) break;
        }
      } catch (error) {
        if (page.length === 0) throw error;
      }
      return page;
    });
  }

  #parse(position: number, version: number, body: string): Commit {
    let commit: Commit;
    try {
      commit = JSON.parse(body) as Commit;
    } catch (error) {
      throw this.#corrupt(position, `The commit at position ${position} (version ${version}) is no JSON.`, error);
    }
    if (commit === null || typeof commit !== 'object' || typeof commit.v !== 'number') {
      throw this.#corrupt(position, `What is stored at position ${position} (version ${version}) is no commit.`);
    }
    refuseNewerFormat({ ...commit, position });
    return commit;
  }

  #corrupt(position: number, why: string, cause?: unknown): Error {
    return corruptLog(this.#database.path, why, { details: { ...this.#nameAt(position), position }, cause });
  }

  /** Which commit the columns say is at a position; nothing where they are damaged too. */
  #nameAt(position: number): { stream?: string; version?: number } {
    const sql =
      'SELECT s.name AS stream, c.version FROM commits c JOIN streams s ON s.id = c.stream WHERE position = ?';
    try {
      return { ...this.#database.connection.prepare(sql).get(position) };
    } catch {
      return {};
    }
  }

  #head(stream: StreamId): Head | undefined {
    const known = this.#heads.get(stream);
    if (known !== undefined) return known;
    const row = this.#selectHead.get(stream) as unknown;
    if (row === undefined) return undefined;
    const head = this.#toHead(row);
    this.#heads.set(stream, head);
    return head;
  }

  #toHead(row: unknown): Head {
    const [id, stream, version, position, body] = row as [number, StreamId, number, number, string];
    return { id, stream, version, position, hash: this.#parse(position, version, body).hash };
  }

  #insert(commit: CommitKey, knownId: number | undefined, body: string): number {
    const { stream, version, hash } = commit;
    const id = knownId ?? this.#streamId(stream);
    const position = this.lastPosition() + 1;
    this.#insertCommit.run(position, id, version, body);
    this.#lastPosition = position;
    this.#heads.set(stream, { id, stream, version, hash, position });
    return position;
  }

  #streamId(stream: StreamId): number {
    const row = this.#insertStream.get(stream) as unknown as [number] | undefined;
    assert(row !== undefined, 'a stream has a number');
    return row[0];
  }

  #positionOf(commit: CommitKey, head: Head | undefined): number | undefined {
    if (head?.version === commit.version) return head.hash === commit.hash ? head.position : undefined;
    const [row] = this.#selectVersion.all(commit.stream, commit.version) as unknown as CommitRow[];
    if (row === undefined) return undefined;
    const [position, version, body] = row;
    return this.#parse(position, version, body).hash === commit.hash ? position : undefined;
  }

  #forget(): void {
    this.#heads.clear();
    this.#lastPosition = undefined;
  }
}
