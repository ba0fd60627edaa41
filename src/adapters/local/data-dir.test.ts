import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pouwError, textWith } from '../../../test/features/pouw-error.ts';
import { type ScratchDirectory, scratchDirectory } from '../../../test/features/scratch-directory.ts';
import { openDataDir } from './data-dir.ts';

let scratch: ScratchDirectory;
beforeEach(() => {
  scratch = scratchDirectory();
});
afterEach(() => scratch.remove());

test('makes the directory and says where things are', () => {
  const path = join(scratch.path, 'a', 'b');
  const directory = openDataDir(path);
  expect(directory).toMatchObject({ path, logPath: join(path, 'log.sqlite') });
  expect(directory.file('chain', 'state.json')).toBe(join(path, 'chain', 'state.json'));
  expect(existsSync(path)).toBe(true);
  directory.close();
});

test('makes it for its owner only, and leaves the rights of one that is there alone', () => {
  const path = join(scratch.path, 'private');
  openDataDir(path).close();
  expect(statSync(path).mode & 0o777).toBe(0o700);
  chmodSync(path, 0o750);
  openDataDir(path).close();
  expect(statSync(path).mode & 0o777).toBe(0o750);
});

test('is held by one owner at a time, who is named to the next', () => {
  const first = openDataDir(scratch.path);
  expect(() => openDataDir(scratch.path)).toThrow(
    pouwError('data_dir_in_use', { details: { directory: scratch.path, pid: process.pid } }),
  );
  first.close();
  openDataDir(scratch.path).close();
});

test('is let go of again where its owner cannot be written down', () => {
  const owner = scratch.file('owner.json');
  mkdirSync(owner);
  expect(() => openDataDir(scratch.path)).toThrow(
    pouwError('data_dir_unwritable', { message: textWith(owner), param: 'data' }),
  );
  rmdirSync(owner);
  openDataDir(scratch.path).close();
});

test('is held against other processes, and free as soon as its owner was killed', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'data-dir.ts'));
  const script = `
    const { openDataDir } = await import(${module});
    openDataDir(${JSON.stringify(scratch.path)});
    // The owner does not even keep what it was given.
    globalThis.gc();
    console.log('open');
    setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    expect(() => openDataDir(scratch.path)).toThrow(
      pouwError('data_dir_in_use', { message: textWith(`process ${child.pid}`) }),
    );
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  openDataDir(scratch.path).close();
});

test('a place that cannot be a directory is data_dir_unwritable', () => {
  const file = scratch.file('a-file');
  writeFileSync(file, '');
  // Below /proc nothing can be made, and Node's own mkdir never ends there.
  for (const path of [file, join(file, 'below'), '/proc/pouw/data']) {
    expect(() => openDataDir(path)).toThrow(pouwError('data_dir_unwritable', { param: 'data' }));
  }
});
