import { once } from 'node:events';

/** Characters gathered before they are written. */
const chunkChars = 65_536;

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
