import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { streamId } from '../core/ids.ts';
import { decodeToken, encodeToken, eventSubject, jobSubject, logShards, shardOf, storedSubject } from './subjects.ts';

describe('the subject of a stream', () => {
  test('begins with its shard, which is the first byte of SHA-256 of its id', () => {
    // `printf session.31337-abcdef01-1 | sha256sum` begins with c4, which is 3 · 64 + 4.
    const stream = streamId('session', '31337-abcdef01-1');
    expect(shardOf(stream)).toBe('04');
    expect(eventSubject(stream)).toBe('pouw.v1.evt.04.session.31337-abcdef01-1');
    expect(storedSubject(stream, 'other.v1')).toBe('other.v1.new.04.session.31337-abcdef01-1');
  });

  test('spreads streams over all shards', () => {
    const shards = new Set(Array.from({ length: 2_000 }, (_, key) => shardOf(streamId('session', `31337-a-${key}`))));
    expect([...shards].toSorted()).toEqual(
      Array.from({ length: logShards }, (_, shard) => String(shard).padStart(2, '0')),
    );
  });
});

describe('text as a token', () => {
  test('holds nothing that means something in a subject', () => {
    expect(encodeToken('HuggingFaceTB/SmolLM2-1.7B')).toBe('HuggingFaceTB=2fSmolLM2-1=2e7B');
    expect(jobSubject('a.b/c d')).toBe('pouw.v1.job.a=2eb=2fc=20d');
  });

  test('gives any text back', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed()),
        (text) => {
          const token = encodeToken(text);
          expect(token).toMatch(/^[A-Za-z0-9_=-]+$/);
          expect(decodeToken(token)).toBe(text);
        },
      ),
    );
  });

  test('knows a token that no text has', () => {
    for (const token of ['', 'a.b', '=2', '=2F', '=41', '=ff', 'a/b']) expect(decodeToken(token)).toBeUndefined();
  });
});
