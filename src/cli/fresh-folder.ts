import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { PouwError } from '../core/errors.ts';

/**
 * The absolute path of a folder that has nothing in it, or is not there yet.
 *
 * @param needs why it has to be fresh, for the person who named another.
 * @throws PouwError `data_dir_not_fresh`.
 */
export function freshFolder(wanted: string, needs: string): string {
  const path = resolve(wanted);
  if (filesIn(path) === 0) return path;
  throw new PouwError('data_dir_not_fresh', `The directory ${path} is not empty.`, {
    class: 'invalid',
    param: 'data',
    hint: `${needs}: name a new directory.`,
  });
}

function filesIn(path: string): number {
  try {
    return readdirSync(path).length;
  } catch {
    // It is made where it is missing; what else is wrong with it is said when it is opened.
    return 0;
  }
}
