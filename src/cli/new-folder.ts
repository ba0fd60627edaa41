import { existsSync, rmSync } from 'node:fs';
import { openDataDir } from '../adapters/local/data-dir.ts';
import { PouwError } from '../core/errors.ts';

/**
 * Does what makes a data directory, and removes the directory where that is refused and it was not there before: nobody
 * has been told of anything in it yet. A defect leaves it for whoever looks for the cause.
 *
 * @param begin is given what it calls once others may have been told, and the directory stays.
 */
export async function inNewFolder(directory: string, begin: (keep: () => void) => Promise<void>): Promise<void> {
  let isNew = !existsSync(directory);
  try {
    await begin(() => {
      isNew = false;
    });
  } catch (error) {
    if (isNew && error instanceof PouwError) removeUnused(directory);
    throw error;
  }
}

/** Another process may have it by now, or there may be no right to remove it: then it stays. */
function removeUnused(directory: string): void {
  try {
    const data = openDataDir(directory);
    try {
      rmSync(directory, { recursive: true });
    } finally {
      data.close();
    }
  } catch {
    // What was refused is what has to be said.
  }
}
