import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Detokenizer } from './detokenizer.ts';

/** A byte-level tokenizer of one byte per token, the worst case for characters. */
const decodeBytes = (ids: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(ids));

/** A word-piece tokenizer that drops the space before its first word, as SentencePiece ones do. */
const words = ['▁The', '▁dog', 's', '▁sleep', '.'];
const decodeWords = (ids: readonly number[]): string =>
  ids
    .map((id) => words[id] ?? '')
    .join('')
    .replaceAll('▁', ' ')
    .replace(/^ /, '');

/** Any character but half ones, the byte order mark that decoders drop, and the one that stands for no character. */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfeff && code !== 0xfffd)
  .map((code) => String.fromCodePoint(code));

function pieces(ids: Iterable<number>, decode: (ids: readonly number[]) => string): string[] {
  const detokenizer = new Detokenizer(decode);
  return [...Array.from(ids, (id) => detokenizer.push(id)), detokenizer.flush()];
}

describe('Detokenizer', () => {
  it('holds a character back until its last byte', () => {
    expect(pieces(Buffer.from('a€b'), decodeBytes)).toEqual(['a', '', '', '€', 'b', '']);
  });

  it('keeps the spaces between words', () => {
    expect(pieces([0, 1, 2, 3, 4], decodeWords)).toEqual(['The', ' dog', 's', ' sleep', '.', '']);
  });

  it('gives the replacement character for bytes that never become one', () => {
    expect(pieces([0x61, 0xe2, 0x82], decodeBytes).join('')).toBe('a\uFFFD');
    expect(pieces([0xe2, 0x62, 0x63], decodeBytes).join('')).toBe('\uFFFDbc');
  });

  it('adds up to the whole text and never shows an unfinished character, for any text', () => {
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
        const clean = characters.join('');
        const got = pieces(Buffer.from(clean), decodeBytes);
        expect(got.join('')).toBe(clean);
        for (const piece of got) {
          expect(piece.isWellFormed()).toBe(true);
          expect(piece).not.toContain('\uFFFD');
        }
      }),
      { seed: 7 },
    );
  });

  it('adds up to the decoding of everything, for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0x20, max: 0xee }), { maxLength: 40 }), (bytes) => {
        expect(pieces(bytes, decodeBytes).join('')).toBe(decodeBytes(bytes));
      }),
      { seed: 7 },
    );
  });
});
