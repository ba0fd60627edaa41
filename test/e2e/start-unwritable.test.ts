import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundByModes, requireModesBind } from '../kit/bound-by-modes.ts';
import { scratch } from '../kit/local-network.ts';
import { runOneTask } from '../kit/one-task.ts';
import { killLeftovers, processesNaming, runPouw } from '../kit/pouw-process.ts';

const place = scratch('unwritable');
const original = join(place.path, 'original');

beforeAll(async () => {
  requireModesBind(place.path);
  await runOneTask(original, 'first');
});
afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

/** A new copy of the data directory of a network that has run and was stopped. */
function copy(): string {
  const data = mkdtempSync(join(place.path, 'copy-'));
  cpSync(original, data, { recursive: true });
  return data;
}

/** What a start may change that is refused: who had the directory last, what its operator is told, what anvil makes. */
const passing = /^(owner\.json|pouw\.log|chain.anvil-cache.*)$/;

/** Every other path below a directory, and what is there. */
function contentOf(data: string): Readonly<Record<string, string>> {
  const paths = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((path) => !passing.test(path));
  return Object.fromEntries(
    paths.map((path) => {
      const file = join(data, path);
      const { mode } = statSync(file);
      const hash = statSync(file).isFile() ? createHash('sha256').update(readFileSync(file)).digest('hex') : '';
      return [path, `${mode.toString(8)} ${hash}`];
    }),
  );
}

/** Expects that a start is refused with a code, the path that it is about and a way out, and changes nothing. */
async function expectRefused(data: string, error: string, about: string): Promise<void> {
  const before = contentOf(data);
  const args = ['start', '--data', data, '--port', '0', '--json'];
  const { code, stdout, stderr } = await runPouw(args, {}, boundByModes);
  expect({ code, stdout, error: /^error (\w+):/m.exec(stderr)?.[1] }).toEqual({ code: 1, stdout: '', error });
  expect(stderr).toContain(about);
  expect(stderr).toMatch(/^ *next: \S/m);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(contentOf(data)).toEqual(before);
  expect(processesNaming(data)).toEqual([]);
}

describe('a network does not start again', () => {
  let data: string;
  beforeAll(() => {
    data = copy();
  });

  it.each([
    ['owner.json', 'data_dir_unwritable'],
    ['lock', 'data_dir_unwritable'],
    ['pouw.log', 'data_dir_unwritable'],
    ['log.sqlite', 'data_dir_unwritable'],
    ['log.sqlite-lock', 'data_dir_unwritable'],
    ['chain/tx.sqlite', 'chain_store_unusable'],
    ['pins.db', 'content_directory_unusable'],
    ['chain', 'chain_store_unusable'],
    ['blocks', 'content_directory_unusable'],
    ['', 'data_dir_unwritable'],
  ])('where it may not write "%s"', async (name, error) => {
    const path = join(data, name);
    const { mode } = statSync(path);
    chmodSync(path, mode & 0o555);
    try {
      await expectRefused(data, error, path);
    } finally {
      chmodSync(path, mode);
    }
  });

  it.each(['chain/state.json', 'chain/blocks.ndjson'])('where it may not read %s', async (name) => {
    const path = join(data, name);
    const { mode } = statSync(path);
    chmodSync(path, 0);
    try {
      await expectRefused(data, 'data_unwritable', path);
    } finally {
      chmodSync(path, mode);
    }
  });

  it('where it may not clear away what a crash has left of its chain', async () => {
    const path = join(data, 'chain', 'anvil-cache');
    mkdirSync(join(path, 'anvil-state-of-a-crash'), { recursive: true });
    chmodSync(path, 0o555);
    try {
      await expectRefused(data, 'data_unwritable', path);
    } finally {
      chmodSync(path, 0o755);
    }
  });

  it('where a crash has left an index of the log that it may not write', async () => {
    const file = join(data, 'log.sqlite-shm');
    writeFileSync(file, '', { mode: 0o444 });
    try {
      await expectRefused(data, 'data_dir_unwritable', file);
    } finally {
      rmSync(file);
    }
  });

  it.each([
    ['owner.json', 'data_dir_unwritable'],
    ['pouw.log', 'data_dir_unwritable'],
    ['log.sqlite-wal', 'data_dir_unwritable'],
    ['chain/tx.sqlite-shm', 'chain_store_unusable'],
    ['pins.db-shm', 'content_directory_unusable'],
    ['chain/state.json', 'data_unwritable', 'chain'],
    ['chain/blocks.ndjson', 'data_unwritable', 'chain'],
  ])('where a directory is in the place of %s', async (name, error, about = name) => {
    const path = join(data, name);
    const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
    if (isThere) renameSync(path, `${data}.kept`);
    mkdirSync(path);
    try {
      await expectRefused(data, error, join(data, about));
    } finally {
      rmdirSync(path);
      if (isThere) renameSync(`${data}.kept`, path);
    }
  });

  it('where all is of another user, who lets others read', async () => {
    const isRoot = process.getuid?.() === 0;
    const paths = ['', ...readdirSync(data, { recursive: true, encoding: 'utf8' })].map((path) => join(data, path));
    const before = paths.map((path) => [path, statSync(path).mode] as const);
    // Who is not root cannot give a file away; what is read-only can be written as little.
    if (isRoot) for (const path of paths) chownSync(path, 65_534, 65_534);
    for (const [path, mode] of before) chmodSync(path, (isRoot ? mode : mode & 0o555) | ((mode >> 6) & 0o555));
    try {
      await expectRefused(data, 'data_dir_unwritable', data);
    } finally {
      if (isRoot) for (const path of paths) chownSync(path, 0, 0);
      for (const [path, mode] of before) chmodSync(path, mode);
    }
  });

  it.each([
    ['log.sqlite', 'log_corrupt'],
    ['chain/tx.sqlite', 'chain_store_unusable'],
    ['pins.db', 'content_directory_unusable'],
  ])('where the last byte of %s is missing', async (name, error) => {
    const file = join(data, name);
    const bytes = readFileSync(file);
    truncateSync(file, bytes.length - 1);
    try {
      await expectRefused(data, error, `and has ${bytes.length - 1}`);
    } finally {
      writeFileSync(file, bytes);
    }
  });

  it('where pins are of another version', async () => {
    const file = join(data, 'pins.db');
    const bytes = readFileSync(file);
    const pins = new DatabaseSync(file);
    const change = "UPDATE entries SET value = CAST('0' AS BLOB) WHERE key = '/version'";
    expect(pins.prepare(change).run().changes).toBe(1);
    pins.close();
    try {
      await expectRefused(data, 'content_directory_unusable', 'version');
    } finally {
      writeFileSync(file, bytes);
    }
  });

  it('and goes on once it may', async () => {
    await runOneTask(data, 'again');
    const { code, stdout } = await runPouw(['log', 'verify', data, '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true }]);
  });
});

describe('a first start', () => {
  it('below a folder that it may not enter is refused', async () => {
    const folder = join(place.path, 'closed');
    mkdirSync(folder, { mode: 0o000 });
    const data = join(folder, 'data');
    const args = ['start', '--data', data, '--port', '0', '--json'];
    const { code, stderr } = await runPouw(args, {}, boundByModes);
    chmodSync(folder, 0o700);
    expect([code, /^error (\w+):/m.exec(stderr)?.[1]]).toEqual([1, 'data_dir_unwritable']);
    expect(readdirSync(folder)).toEqual([]);
  });
});
