import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ScratchDirectory, scratchDirectory } from '../../test/features/scratch-directory.ts';
import { type DataDir, openDataDir } from '../adapters/local/data-dir.ts';
import { PouwError } from '../core/errors.ts';
import { inNewFolder } from './new-folder.ts';

let scratch: ScratchDirectory;
let folder: string;
beforeEach(() => {
  scratch = scratchDirectory();
  folder = join(scratch.path, 'data');
});
afterEach(() => scratch.remove());

/** A start that is refused after it has made and left the directory. */
const refused = (error: Error) => async (): Promise<void> => {
  openDataDir(folder).close();
  writeFileSync(join(folder, 'keys.json'), '{}');
  throw error;
};
const taken = new PouwError('port_in_use', 'The port is taken.', { class: 'unavailable' });

test('a refused start leaves no new directory behind', async () => {
  await expect(inNewFolder(folder, refused(taken))).rejects.toBe(taken);
  expect(existsSync(folder)).toBe(false);
});

test('one that was there before stays, and so does one that others were told of', async () => {
  mkdirSync(folder);
  await expect(inNewFolder(folder, refused(taken))).rejects.toBe(taken);
  expect(existsSync(join(folder, 'keys.json'))).toBe(true);
  folder = join(scratch.path, 'told');
  await expect(
    inNewFolder(folder, async (keep) => {
      keep();
      await refused(taken)();
    }),
  ).rejects.toBe(taken);
  expect(existsSync(join(folder, 'keys.json'))).toBe(true);
});

test('one that a defect has left, or that somebody else has taken meanwhile, stays', async () => {
  await expect(inNewFolder(folder, refused(new Error('a defect')))).rejects.toThrow('a defect');
  expect(existsSync(folder)).toBe(true);
  folder = join(scratch.path, 'taken');
  let other: DataDir | undefined;
  const begin = async (): Promise<void> => {
    await refused(taken)().catch(() => undefined);
    other = openDataDir(folder);
    throw taken;
  };
  await expect(inNewFolder(folder, begin)).rejects.toBe(taken);
  expect(existsSync(join(folder, 'keys.json'))).toBe(true);
  other?.close();
});
