import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file as a whole: after a crash at any moment, of the machine too, there is the old one or the new one. On
 * the disk when it resolves.
 */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  await write(`${file}.new`, content);
  await rename(`${file}.new`, file);
  await syncFolder(dirname(file));
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A file's new name is on the disk once its folder is. Windows has no such thing as opening a folder. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
