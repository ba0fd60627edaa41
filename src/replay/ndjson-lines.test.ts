import { createReadStream } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { collect } from '../../test/fixtures/signed-log.ts';
import { linesOf } from './ndjson-lines.ts';

/** The lines of these chunks, each with its number. */
async function cut(chunks: string[], bytesMax = 100): Promise<string[]> {
  const stream = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  const read = linesOf(
    stream,
    () => bytesMax,
    (line) => new Error(`line ${line} is too long`),
  );
  return (await collect(read)).map(({ number, bytes }) => `${number}:${Buffer.from(bytes).toString()}`);
}

describe('lines', () => {
  it('are the same however the bytes are cut', async () => {
    const expected = ['1:ab', '2:', '3:cd', '4:e'];
    expect(await cut(['ab\n\ncd\ne'])).toEqual(expected);
    expect(await cut(['a', 'b', '\n', '\nc', 'd\n', '', 'e'])).toEqual(expected);
    expect(await cut(['ab\n\ncd\ne\n'])).toEqual(expected);
    expect(await cut([])).toEqual([]);
  });

  it('may be as long as the limit, across chunks too', async () => {
    expect(await cut(['abc', 'de\nf'], 5)).toEqual(['1:abcde', '2:f']);
    await expect(cut(['abc', 'def\n'], 5)).rejects.toThrow('line 1 is too long');
    await expect(cut(['a\nabcdef'], 5)).rejects.toThrow('line 2 is too long');
  });

  it('close their source when nobody wants more', async () => {
    const file = createReadStream(import.meta.filename);
    for await (const _line of linesOf(
      file as AsyncIterable<Uint8Array>,
      () => 1e6,
      () => new Error('no'),
    ))
      break;
    expect(file.destroyed).toBe(true);
  });
});
