import { mkdir } from 'node:fs/promises';
import { errorMessage, PouwError } from '../../core/errors.ts';

/**
 * Makes a folder that a program is to work in, and those above it.
 *
 * @param named the folder that the user has named, where it is one of those above.
 * @throws PouwError `data_unwritable`.
 */
export async function makeFolder(directory: string, named = directory): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (cause) {
    throw new PouwError('data_unwritable', `The folder ${named} cannot be made.`, {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Name another folder with --data, or change its rights.',
      cause,
    });
  }
}

/** What a system says of a file that may not be used, or is of another kind. */
const refusals: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY']);

/**
 * The error for what a program could not do in its folder; undefined where the system says something else.
 *
 * @returns PouwError `disk_full`, `data_unwritable`.
 */
export function folderError(directory: string, cause: unknown): PouwError | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const why = errorMessage(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PouwError('disk_full', `There is no room left in ${directory}.`, {
      class: 'unavailable',
      why,
      hint: 'Make room and start again: nothing is damaged.',
      cause,
    });
  }
  if (typeof code !== 'string' || !refusals.has(code)) return undefined;
  return new PouwError('data_unwritable', `The folder ${directory} cannot be used.`, {
    class: 'unavailable',
    why,
    hint: 'Give this user the right to read and write all that is in it, or name another folder with --data.',
    cause,
  });
}
