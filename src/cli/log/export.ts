import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { exportLog } from '../../replay/export.ts';
import type { LogSource } from '../../replay/source.ts';
import { printAll } from '../print.ts';

/** `pouw log export` to standard output. */
export async function exportToStdout(source: LogSource): Promise<void> {
  await printAll(lines(source));
}

/**
 * `pouw log export --out`: the file is there whole or not at all; what was there before stays until then.
 *
 * @throws PouwError `file_unwritable`.
 */
export async function exportToFile(source: LogSource, out: string): Promise<void> {
  const file = resolve(out);
  const unfinished = `${file}.${process.pid}.new`;
  try {
    const handle = await writing(file, () => open(unfinished, 'wx'));
    try {
      for await (const line of lines(source)) await writing(file, () => handle.appendFile(line));
      await writing(file, () => handle.sync());
    } finally {
      await handle.close();
    }
    await writing(file, () => rename(unfinished, file));
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function lines(source: LogSource): AsyncGenerator<string> {
  // A file that is exported again says when the log was read first.
  return exportLog(source, { exportedAt: source.claims?.exportedAt ?? systemClock.now() });
}

async function writing<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new PouwError('file_unwritable', `${file} cannot be written.`, {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Name another file with --out, or leave it out for standard output.',
      param: 'out',
      cause,
    });
  }
}
