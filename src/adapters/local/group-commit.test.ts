import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commitChain, testStream } from '../../../test/features/commits.ts';
import { GroupCommit } from './group-commit.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { SqliteEventStore } from './sqlite-event-store.ts';
import { systemClock } from './system-clock.ts';

/** A disk whose flushes end when a test says so. */
class SlowDisk {
  /** Flushes that were asked for. */
  started = 0;
  #end: { resolve: () => void; reject: (error: Error) => void } | undefined;

  readonly sync = (): Promise<void> => {
    this.started += 1;
    return new Promise((resolve, reject) => (this.#end = { resolve, reject }));
  };

  endFlush(error?: Error): void {
    const end = this.#end!;
    this.#end = undefined;
    if (error === undefined) end.resolve();
    else end.reject(error);
  }
}

let database: SqliteDatabase;
let disk: SlowDisk;
let writes: GroupCommit;
let reported: unknown[];
let acknowledged: string[];

beforeEach(() => {
  database = openSqliteDatabase({ path: ':memory:' });
  database.connection.exec('CREATE TABLE notes (note TEXT)');
  disk = new SlowDisk();
  reported = [];
  acknowledged = [];
  writes = new GroupCommit(database.connection, {
    clock: systemClock,
    schedule: (run) => void setImmediate(run),
    sync: disk.sync,
    touch: () => undefined,
    explain: (error) => error,
    onError: (error) => reported.push(error),
  });
});

afterEach(() => database.close());

const insert = (note: string) => (): void => void database.connection.prepare('INSERT INTO notes VALUES (?)').run(note);

const write = async (note: string): Promise<void> => {
  await writes.write(insert(note));
  acknowledged.push(note);
};

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

describe('a write', () => {
  test('is acknowledged when its flush has ended, and not before', async () => {
    const written = write('first');
    await turns();
    expect(disk.started).toBe(1);
    expect(acknowledged).toEqual([]);
    disk.endFlush();
    await written;
    expect(acknowledged).toEqual(['first']);
  });

  test('that comes during a flush waits for the next one, which all that came meanwhile share', async () => {
    const first = write('first');
    await turns();
    const second = write('second');
    await turns();
    const third = write('third');
    await turns();
    expect(disk.started).toBe(1);
    disk.endFlush();
    await first;
    await turns();
    expect(acknowledged).toEqual(['first']);
    expect(disk.started).toBe(2);
    disk.endFlush();
    await Promise.all([second, third]);
    expect(acknowledged).toEqual(['first', 'second', 'third']);
    await turns();
    expect(disk.started).toBe(2);
  });

  test('may be waited for by flush, which covers it', async () => {
    const written = write('first');
    await turns();
    const flushed = writes.flush().then(() => acknowledged.push('flush'));
    await turns();
    disk.endFlush();
    await turns();
    disk.endFlush();
    await Promise.all([written, flushed]);
    expect(acknowledged).toEqual(['first', 'flush']);
  });
});

describe('a flush that fails', () => {
  const failure = new Error('the disk is gone');

  test('is told to all whose writes may be lost, and nothing is written any more', async () => {
    const results = [write('first')];
    await turns();
    results.push(write('second'));
    for (const result of results) result.catch(() => undefined);
    await turns();
    disk.endFlush(failure);
    for (const result of results) await expect(result).rejects.toBe(failure);
    expect(writes.failure).toEqual({ error: failure });
    await expect(write('third')).rejects.toBe(failure);
    expect(() => writes.writeLagging(insert('fourth'))).toThrow(failure);
    expect(disk.started).toBe(1);
    expect(reported).toEqual([]);
  });

  test('is reported where only writes that may lag are in it', async () => {
    writes.writeLagging(insert('lagging'));
    await expect.poll(() => disk.started).toBe(1);
    disk.endFlush(failure);
    await turns();
    expect(reported).toEqual([failure]);
  });
});

test('a subscriber hears of a commit once it is on the disk', async () => {
  const store = new SqliteEventStore({ ...database, writes });
  const [first, second] = commitChain(testStream(1), 2);
  const heard: number[] = [];
  const appended = store.append(first!);
  await turns();
  store.subscribe(1, ({ position }) => void heard.push(position));
  await turns();
  expect(heard).toEqual([]);
  disk.endFlush();
  await appended;
  await turns();
  expect(heard).toEqual([1]);
  const next = store.append(second!);
  await turns();
  disk.endFlush();
  await next;
  await turns();
  expect(heard).toEqual([1, 2]);
  await store.close();
});
