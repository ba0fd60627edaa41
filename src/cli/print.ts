import { once } from 'node:events';

/** Characters gathered before they are written. */
const chunkChars = 65_536;

let endsWithReader = false;

/**
 * Ends this process in silence when nobody reads its standard output any more: `pouw log show DIR | head` is
 * no failure.
 */
export function endWithReader(): void {
  if (endsWithReader) return;
  endsWithReader = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

/** Writes texts to standard output no faster than they are read there. */
export async function printAll(texts: AsyncIterable<string>): Promise<void> {
  let chunk = '';
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < chunkChars) continue;
    await print(chunk);
    chunk = '';
  }
  await print(chunk);
}

/** Writes text to standard output; resolves when more may follow. */
export async function print(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Writes a value as one line of JSON. */
export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value)}\n`);
}
