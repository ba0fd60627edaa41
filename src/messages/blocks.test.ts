import { describe, expect, test } from 'vitest';
import { contentCid } from '../core/cid.ts';
import { limits } from '../core/limits.ts';
import {
  encodeBlockMessage,
  encodeBlockPiece,
  nothingHeld,
  readBlockHolder,
  readBlockOffer,
  readBlockPiece,
  readBlockRange,
  readBlockWant,
} from './blocks.ts';
import { blockOfferSubject, blockRangeSubject, blockWantSubject } from './subjects.ts';

const cid = contentCid({ some: 'block' });
const utf8 = new TextEncoder();

describe('messages about blocks', () => {
  test('have subjects that say who wants what, and who offers to whom', () => {
    expect(blockWantSubject(cid, 'bob')).toBe(`pouw.v1.blk.want.${cid}.bob`);
    expect(blockOfferSubject('bob', 'alice')).toBe('pouw.v1.blk.offer.bob.alice');
    expect(blockRangeSubject('alice', 'bob')).toBe('pouw.v1.blk.range.alice.bob');
    expect(readBlockWant(blockWantSubject(cid, 'bob'))).toEqual({ cid, asker: 'bob' });
    expect(readBlockWant('pouw.v1.blk.want.bafy.bob')).toBeUndefined();
    expect(readBlockHolder(blockOfferSubject('bob', 'alice'))).toBe('alice');
  });

  test('come back as they were, at their bounds too', () => {
    for (const size of [1, limits.contentBytesMax]) {
      expect(readBlockOffer(encodeBlockMessage({ cid, size }))).toEqual({ cid, size });
    }
    const { blockRangeBytesMax: most, contentBytesMax } = limits;
    for (const range of [
      { cid, offset: 0, length: 1 },
      { cid, offset: contentBytesMax - 1, length: most },
    ]) {
      expect(readBlockRange(encodeBlockMessage(range))).toEqual(range);
    }
  });

  test('are nothing when they are out of bounds, malformed or too long', () => {
    const { blockRangeBytesMax: most, contentBytesMax } = limits;
    for (const size of [0, -1, 1.5, contentBytesMax + 1]) {
      expect(readBlockOffer(encodeBlockMessage({ cid, size }))).toBeUndefined();
    }
    for (const [offset, length] of [
      [-1, 1],
      [0, 0],
      [0, most + 1],
      [contentBytesMax, 1],
      [0.5, 1],
    ] as const) {
      expect(readBlockRange(encodeBlockMessage({ cid, offset, length }))).toBeUndefined();
    }
    const padding = ' '.repeat(256);
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      `{"size":1}`,
      `{"cid":"x","size":1}`,
      `{"cid":"${cid}","size":1}${padding}`,
    ]) {
      expect(readBlockOffer(utf8.encode(text))).toBeUndefined();
      expect(readBlockRange(utf8.encode(text))).toBeUndefined();
    }
    expect(readBlockOffer(new Uint8Array([0xff, 0xfe]))).toBeUndefined();
  });
});

describe('a piece of a block', () => {
  const block = utf8.encode('0123456789');

  test('says how large the block is, and is cut off at its end', () => {
    const read = (offset: number, length: number) => readBlockPiece(encodeBlockPiece(block, { cid, offset, length }));
    expect(read(0, 10)).toEqual({ size: 10, bytes: block });
    expect(read(8, 5)).toEqual({ size: 10, bytes: utf8.encode('89') });
    expect(encodeBlockPiece(block, { cid, offset: 10, length: 1 })).toBe(nothingHeld);
  });

  test('is nothing where it has no bytes', () => {
    for (const length of [0, 1, 4]) expect(readBlockPiece(new Uint8Array(length))).toBeUndefined();
  });

  test('is read where it lies inside a larger buffer', () => {
    const piece = encodeBlockPiece(block, { cid, offset: 1, length: 2 });
    const larger = new Uint8Array(piece.length + 7).fill(255);
    larger.set(piece, 3);
    expect(readBlockPiece(larger.subarray(3, 3 + piece.length))).toEqual({ size: 10, bytes: utf8.encode('12') });
  });
});
