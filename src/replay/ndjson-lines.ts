/** A line of a file, still in bytes: only who needs it pays for decoding it. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without the line end. */
  readonly bytes: Uint8Array;
}

const newline = 0x0a;

/**
 * The lines of a byte stream. Holds one line and one chunk at a time.
 *
 * @param tooLong makes the error for a line that is longer than `bytesMax(line number)`.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: (line: number) => number,
  tooLong: (line: number) => Error,
): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (part: Uint8Array): void => {
    length += part.length;
    if (length > bytesMax(number)) throw tooLong(number);
    parts.push(part);
  };
  const end = (): Line => {
    const line = { number, bytes: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts) };
    number += 1;
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, to));
      yield end();
      from = to + 1;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  if (length > 0) yield end();
}
