import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Commit, commitFormat } from '../../core/commit.ts';
import { limits } from '../../core/limits.ts';
import type { EventStore, StoredCommit } from '../../ports/event-store.ts';
import { commitAfter, commitChain, resealed, testStream } from '../../../test/features/commits.ts';
import { eventually } from '../../../test/features/feature.ts';
import { pouwError, textWith } from '../../../test/features/pouw-error.ts';
import { type ScratchDirectory, scratchDirectory } from '../../../test/features/scratch-directory.ts';
import { openSqliteEventStore, openSqliteEventStoreReadOnly } from './sqlite-event-store.ts';

let directory: ScratchDirectory;
let path: string;
beforeEach(() => {
  directory = scratchDirectory();
  path = directory.file('log.sqlite');
});
afterEach(() => directory.remove());

async function readAll(store: EventStore): Promise<Commit[]> {
  const commits: Commit[] = [];
  for await (const { commit } of store.readAll()) commits.push(commit);
  return commits;
}

/** A closed log with a chain of commits in it. */
async function writeLog(count: number): Promise<Commit[]> {
  const store = openSqliteEventStore({ path });
  const chain = commitChain(testStream(1), count);
  await Promise.all(chain.map((commit) => store.append(commit)));
  await store.close();
  return chain;
}

function tamper(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe('a log that cannot be trusted', () => {
  test('a file that is no database is log_corrupt, and is left as it was', () => {
    writeFileSync(path, 'this is not a database, and somebody may want it back '.repeat(100));
    const before = readFileSync(path);
    expect(() => openSqliteEventStore({ path })).toThrow(pouwError('log_corrupt', { hint: textWith('backup') }));
    expect(() => openSqliteEventStoreReadOnly(path)).toThrow(pouwError('log_corrupt'));
    expect(readFileSync(path)).toEqual(before);
  });

  test('a directory in its place is log_corrupt', () => {
    mkdirSync(path);
    expect(() => openSqliteEventStore({ path })).toThrow(pouwError('log_corrupt'));
  });

  test('a database of another program is log_corrupt, and is left as it was', () => {
    tamper('CREATE TABLE recipes (name TEXT)');
    expect(() => openSqliteEventStore({ path })).toThrow(pouwError('log_corrupt'));
    const database = new DatabaseSync(path);
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'recipes' }]);
    database.close();
  });

  test('a missing table is log_corrupt', async () => {
    await writeLog(1);
    tamper('DROP TABLE commits');
    expect(() => openSqliteEventStore({ path })).toThrow(pouwError('log_corrupt', { why: textWith('commits') }));
  });

  test('a file cut short is log_corrupt, at open or when the missing part is read', async () => {
    await writeLog(300);
    truncateSync(path, 8_192);
    const openAndRead = async (): Promise<void> => {
      const store = openSqliteEventStoreReadOnly(path);
      try {
        await readAll(store);
      } finally {
        await store.close();
      }
    };
    await expect(openAndRead()).rejects.toMatchObject({ code: 'log_corrupt' });
  });

  test('a commit that is no JSON is log_corrupt and says where', async () => {
    await writeLog(3);
    tamper("UPDATE commits SET body = 'nonsense' WHERE position = 2");
    const store = openSqliteEventStore({ path });
    await expect(readAll(store)).rejects.toMatchObject({ code: 'log_corrupt', details: { position: 2 } });
    await store.close();
  });

  test('a stream with a commit missing in the middle is log_corrupt, not a shorter stream', async () => {
    await writeLog(3);
    tamper('DELETE FROM commits WHERE position = 2');
    const store = openSqliteEventStore({ path });
    const readStream = async (): Promise<void> => {
      for await (const stored of store.read(testStream(1))) expect(stored.position).not.toBe(3);
    };
    await expect(readStream()).rejects.toMatchObject({ code: 'log_corrupt' });
    await store.close();
  });

  test('a subscription over a damaged commit reports it and ends; the store goes on', async () => {
    await writeLog(3);
    tamper("UPDATE commits SET body = 'nonsense' WHERE position = 2");
    const errors: unknown[] = [];
    const store = openSqliteEventStore({ path, onError: (error) => errors.push(error) });
    store.subscribe(1, () => undefined);
    await eventually('the report', () => errors.length > 0, 5_000);
    expect(errors).toMatchObject([{ code: 'log_corrupt' }]);
    expect((await store.append(commitAfter(undefined, testStream(2)))).outcome).toBe('stored');
    await store.close();
  });

  test('a database with a newer schema is log_newer_version', async () => {
    await writeLog(1);
    tamper('PRAGMA user_version = 2');
    for (const open of [() => openSqliteEventStore({ path }), () => openSqliteEventStoreReadOnly(path)]) {
      expect(open).toThrow(pouwError('log_newer_version', { hint: textWith('newer') }));
    }
  });

  test('a commit with a newer format is log_newer_version when it is read, and says where', async () => {
    const store = openSqliteEventStore({ path });
    await store.append(commitAfter(undefined, testStream(1)));
    await store.append({ ...commitAfter(undefined, testStream(2)), v: commitFormat + 1 });
    await expect(readAll(store)).rejects.toMatchObject({ code: 'log_newer_version', details: { position: 2 } });
    await store.close();
  });

  test('what can be read before the damage is read', async () => {
    await writeLog(4);
    tamper("UPDATE commits SET body = 'nonsense' WHERE position = 3");
    const store = openSqliteEventStoreReadOnly(path);
    const seen: number[] = [];
    const reading = async (commits: AsyncIterable<StoredCommit>): Promise<void> => {
      for await (const { position } of commits) seen.push(position);
    };
    await expect(reading(store.readAll())).rejects.toMatchObject({ code: 'log_corrupt', details: { position: 3 } });
    await expect(reading(store.read(testStream(1)))).rejects.toMatchObject({ details: { position: 3 } });
    expect(seen).toEqual([1, 2, 1, 2]);
    await store.close();
  });
});

describe('one writer', () => {
  test('the file cannot be opened for writing twice, until it is closed', async () => {
    const first = openSqliteEventStore({ path });
    expect(() => openSqliteEventStore({ path })).toThrow(pouwError('data_dir_in_use'));
    await first.close();
    await openSqliteEventStore({ path }).close();
  });

  test('a log that cannot be opened is not left locked', async () => {
    writeFileSync(path, 'x'.repeat(5_000));
    expect(() => openSqliteEventStore({ path })).toThrow(pouwError('log_corrupt'));
    writeFileSync(path, '');
    await openSqliteEventStore({ path }).close();
  });

  test('a directory that does not exist is data_dir_unwritable', () => {
    expect(() => openSqliteEventStore({ path: join(path, 'nowhere', 'log.sqlite') })).toThrow(
      pouwError('data_dir_unwritable'),
    );
  });

  test('a closed store says so', async () => {
    const store = openSqliteEventStore({ path });
    await store.close();
    await expect(store.append(commitAfter(undefined, testStream(1)))).rejects.toMatchObject({ code: 'log_closed' });
    await expect(store.head(testStream(1))).rejects.toMatchObject({ code: 'log_closed' });
  });

  test('what was appended before the close is stored, also when nobody waited', async () => {
    const store = openSqliteEventStore({ path });
    const chain = commitChain(testStream(1), 50);
    const results = Promise.all(chain.map((commit) => store.append(commit)));
    await store.close();
    expect((await results).every(({ outcome }) => outcome === 'stored')).toBe(true);
    const reader = openSqliteEventStoreReadOnly(path);
    expect(await readAll(reader)).toEqual(chain);
    await reader.close();
  });
});

describe('a write that fails', () => {
  test('is undone whole, is told to all who shared it, and leaves the store as it was', async () => {
    const store = openSqliteEventStore({ path });
    const [first, second, third] = commitChain(testStream(1), 3) as [Commit, Commit, Commit];
    await store.append(first);
    // A foreign write lock makes the transaction fail the way a full disk would.
    const foreign = new DatabaseSync(path);
    foreign.exec('BEGIN IMMEDIATE');
    const failed = await Promise.allSettled([store.append(second), store.append(third)]);
    foreign.exec('ROLLBACK');
    foreign.close();
    expect(failed).toMatchObject([{ reason: { code: 'data_dir_in_use' } }, { reason: { code: 'data_dir_in_use' } }]);
    expect(await readAll(store)).toEqual([first]);
    expect(await store.append(second)).toEqual({ outcome: 'stored', position: 2 });
    expect(await store.append(third)).toEqual({ outcome: 'stored', position: 3 });
    await store.close();
  });

  test('more writes than may wait are refused as log_busy, and the others are stored', async () => {
    const store = openSqliteEventStore({ path: ':memory:' });
    const commit = commitAfter(undefined, testStream(1));
    const results = await Promise.allSettled(
      Array.from({ length: limits.storePendingWritesMax + 1 }, () => store.append(commit)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(limits.storePendingWritesMax);
    expect(results.at(-1)).toMatchObject({ reason: { code: 'log_busy', class: 'busy' } });
    await store.close();
  });
});

describe('reading', () => {
  test('pages hold a bounded number of bytes, and at least one commit', async () => {
    const store = openSqliteEventStore({ path });
    let head: Commit | undefined;
    for (let index = 0; index < 10; index++) {
      head = resealed(commitAfter(head, testStream(1)), { events: [{ type: 'Big', text: 'x'.repeat(1_000_000) }] });
      await store.append(head);
    }
    expect(await readAll(store)).toHaveLength(10);
    await store.close();
  });

  test('a stream that is evicted from the heads in memory is still known', async () => {
    const store = openSqliteEventStore({ path: ':memory:' });
    const model = commitAfter(undefined, testStream(0));
    const firsts = Array.from({ length: limits.storeHeadsCachedMax + 10 }, (_, key) => ({
      ...model,
      stream: testStream(key),
    }));
    await Promise.all(firsts.map((commit) => store.append(commit)));
    expect(await store.append(firsts[0] as Commit)).toEqual({ outcome: 'duplicate', position: 1 });
    expect(await store.head(testStream(1))).toMatchObject({ version: 1, position: 2 });
    await store.close();
  });
});

describe('a reader beside a writer', () => {
  test('sees what is acknowledged, follows it, and cannot append', async () => {
    const writer = openSqliteEventStore({ path });
    const chain = commitChain(testStream(1), 4);
    await Promise.all(chain.slice(0, 2).map((commit) => writer.append(commit)));
    const reader = openSqliteEventStoreReadOnly(directory.path);
    expect(await readAll(reader)).toEqual(chain.slice(0, 2));
    const seen: StoredCommit[] = [];
    reader.subscribe(1, (stored) => void seen.push(stored));
    await Promise.all(chain.slice(2).map((commit) => writer.append(commit)));
    await eventually('the reader to follow', () => seen.length === 4, 5_000);
    await expect(reader.append(chain[0] as Commit)).rejects.toMatchObject({ code: 'log_read_only' });
    await reader.close();
    await writer.close();
  });

  test('reads a log that was closed, and one whose writer was killed', async () => {
    const chain = await writeLog(3);
    const closed = openSqliteEventStoreReadOnly(path);
    expect(await readAll(closed)).toEqual(chain);
    await closed.close();
    // The files of a live writer, copied while it runs, are what a killed one leaves.
    const writer = openSqliteEventStore({ path });
    const fourth = commitAfter(chain[2], testStream(1));
    await writer.append(fourth);
    const copy = directory.file('killed.sqlite');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix);
    const killed = openSqliteEventStoreReadOnly(copy);
    expect(await readAll(killed)).toEqual([...chain, fourth]);
    await killed.close();
    await writer.close();
  });

  test('reads a log on a medium that cannot be written', async () => {
    await writeLog(3);
    chmodSync(path, 0o444);
    chmodSync(directory.path, 0o555);
    const module = JSON.stringify(join(import.meta.dirname, 'sqlite-event-store.ts'));
    // Rights do not bind the superuser: where the tests run as one, the reader becomes nobody once it is loaded.
    const script = `
      const { openSqliteEventStoreReadOnly } = await import(${module});
      if (process.getuid?.() === 0) {
        process.setgid(65534);
        process.setuid(65534);
      }
      let count = 0;
      for await (const _ of openSqliteEventStoreReadOnly(${JSON.stringify(path)}).readAll()) count += 1;
      console.log(count);`;
    const reader = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    chmodSync(directory.path, 0o755);
    expect(reader).toMatchObject({ status: 0, stdout: '3\n' });
    expect(existsSync(`${path}-shm`)).toBe(false);
  });

  test('a log that is not there is log_not_found, and none is made', () => {
    expect(() => openSqliteEventStoreReadOnly(path)).toThrow(pouwError('log_not_found'));
    expect(() => openSqliteEventStoreReadOnly(directory.path)).toThrow(pouwError('log_not_found'));
    expect(existsSync(path)).toBe(false);
  });
});
