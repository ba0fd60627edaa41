import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hashJson, hexToBytes, keccak256, keccakWords, sha256, word } from './hash.ts';

describe('hashes', () => {
  test('SHA-256 agrees with FIPS 180-4', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('Keccak-256 is the chain’s, not SHA3-256', () => {
    expect(keccak256('')).toBe('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
    // The topic of an ERC-20 transfer, which every block explorer shows.
    expect(keccak256('Transfer(address,address,uint256)')).toBe(
      '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
    );
  });

  test('text is hashed as its UTF-8 bytes', () => {
    const text = 'é 🜁';
    expect(sha256(text)).toBe(sha256(new TextEncoder().encode(text)));
    expect(keccak256(text)).toBe(keccak256(new TextEncoder().encode(text)));
  });

  test('the hash of a value does not depend on the order of its members', () => {
    expect(hashJson({ a: 1, b: [2] })).toBe(hashJson({ b: [2], a: 1 }));
    expect(hashJson({ a: 1 })).toBe(sha256('{"a":1}'));
    expect(hashJson({ a: 1 })).not.toBe(hashJson({ a: '1' }));
  });
});

describe('hex', () => {
  test('leads from bytes to text and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(hexToBytes(bytesToHex(bytes))).toEqual(bytes);
      }),
    );
  });

  test('is of the bytes seen, not of the memory behind them', () => {
    expect(bytesToHex(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe('0x0203');
  });
});

describe('words', () => {
  test('are 32 bytes, the number at the end', () => {
    expect(bytesToHex(word(258))).toBe(`0x${'0'.repeat(61)}102`);
    expect(bytesToHex(word(2n ** 256n - 1n))).toBe(`0x${'f'.repeat(64)}`);
    expect(bytesToHex(word('0xabcd'))).toBe(`0x${'0'.repeat(60)}abcd`);
  });

  test('hold no more than that', () => {
    expect(() => word(2n ** 256n)).toThrow(RangeError);
    expect(() => word(`0x${'1'.repeat(65)}`)).toThrow(RangeError);
  });

  test('end to end are what the contract hashes', () => {
    expect(keccakWords([1, '0x02'])).toBe(keccak256(hexToBytes(`0x${'0'.repeat(63)}1${'0'.repeat(63)}2`)));
    expect(keccakWords([])).toBe(keccak256(''));
  });
});
