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
