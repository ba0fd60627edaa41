import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ScratchDirectory, scratchDirectory } from '../../../test/features/scratch-directory.ts';
import { sampleLog, streams } from '../../../test/fixtures/signed-log.ts';
import { checkSqliteLog } from './sqlite-check.ts';

let scratch: ScratchDirectory;
let file: string;

beforeEach(async () => {
  scratch = scratchDirectory();
  file = scratch.file('log.sqlite');
  await (await sampleLog(file)).close();
});
afterEach(() => scratch.remove());

function spoil(sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

it('finds nothing in a sound database, whether it is named by its file or its folder', async () => {
  expect(await checkSqliteLog(file)).toEqual([]);
  expect(await checkSqliteLog(scratch.path)).toEqual([]);
});

it('names commits whose columns say something else than their text', async () => {
  spoil('UPDATE commits SET version = 70 WHERE position = 2; UPDATE commits SET stream = 900 WHERE position = 5');
  expect(await checkSqliteLog(file)).toEqual([
    { stream: streams.miner, version: 70, position: 2, message: expect.stringContaining('position 2') as unknown },
    { position: 5, message: expect.stringContaining('no stream') as unknown },
  ]);
});

it('leaves text that is no JSON to those who read it', async () => {
  spoil("UPDATE commits SET body = 'nonsense' WHERE position = 2");
  expect(await checkSqliteLog(file)).toEqual([]);
});

it('finds that the last byte is missing', async () => {
  const size = statSync(file).size;
  truncateSync(file, size - 1);
  expect(await checkSqliteLog(file)).toEqual([
    { message: `The database is cut off: It says that it has ${size} bytes, and has ${size - 1}.` },
  ]);
});

it('takes a file for whole of which the end is in the log beside it', async () => {
  const writer = new DatabaseSync(file);
  writer.exec("PRAGMA journal_mode = WAL; INSERT INTO cursors VALUES ('large', hex(zeroblob(100000)))");
  try {
    expect(await checkSqliteLog(file)).toEqual([]);
  } finally {
    writer.close();
  }
  expect(await checkSqliteLog(file)).toEqual([]);
});

it('finds an index that does not fit its table', async () => {
  const database = new DatabaseSync(file);
  const size = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  const index = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_commits_1'";
  const page = Number(database.prepare(index).get()?.['rootpage']);
  database.close();
  const bytes = readFileSync(file);
  // Entries fill a page from its end: this is the position in the first one.
  bytes.writeUInt8(bytes.readUInt8(page * size - 1) ^ 0xff, page * size - 1);
  writeFileSync(file, bytes);
  const faults = await checkSqliteLog(file);
  expect(faults[0]?.message).toMatch(/^The database is damaged: .*sqlite_autoindex_commits_1/);
});
