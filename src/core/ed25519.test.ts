import { verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from './assert.ts';
import { signerFromSeed, verifySignature, verifySignatureAside } from './ed25519.ts';
import { type Hex, hexToBytes } from './hash.ts';

// RFC 8032, section 7.1: the tests whose message is text (TEST 1 is empty, TEST 2 is the one byte "r").
const vectors = [
  {
    seed: '0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '0x4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: 'r',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
] as const;

describe('Ed25519', () => {
  test.each(vectors)('agrees with RFC 8032 on "$message"', ({ seed, publicKey, message, signature }) => {
    const signer = signerFromSeed(hexToBytes(seed));
    expect(signer.publicKey).toBe(publicKey);
    expect(signer.sign(message)).toBe(signature);
    expect(verifySignature(publicKey, message, signature)).toBe(true);
  });

  test('verifies what it signs, and nothing that was changed by a bit', () => {
    const signer = signerFromSeed(new Uint8Array(32).fill(1));
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(511), (message, bit) => {
        const signature = signer.sign(message);
        const flipped = Buffer.from(signature, 'hex');
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(verifySignature(signer.publicKey, message, signature)).toBe(true);
        expect(verifySignature(signer.publicKey, `${message}.`, signature)).toBe(false);
        expect(verifySignature(signer.publicKey, message, flipped.toString('hex'))).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('is not convinced by another key', () => {
    const [signer, stranger] = [1, 2].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte)));
    expect(verifySignature(stranger?.publicKey ?? '0x', 'text', signer?.sign('text') ?? '')).toBe(false);
  });

  test.each<[string, Hex, string]>([
    ['a short key', '0xd75a', vectors[0].signature],
    ['a key without digits', `0x${'z'.repeat(64)}`, vectors[0].signature],
    ['an upper-case key', `0x${vectors[0].publicKey.slice(2).toUpperCase()}`, vectors[0].signature],
    ['a short signature', vectors[0].publicKey, vectors[0].signature.slice(2)],
    ['a signature with a prefix', vectors[0].publicKey, `0x${vectors[0].signature}`],
    ['no signature', vectors[0].publicKey, ''],
    ['a key that is no point of the curve', `0x${'ff'.repeat(32)}`, vectors[0].signature],
  ])('says no to %s, and does not throw', (_what, key, signature) => {
    expect(verifySignature(key, '', signature)).toBe(false);
  });

  test('needs a seed of 32 bytes', () => {
    expect(() => signerFromSeed(new Uint8Array(31))).toThrow(AssertionError);
  });

  test('knows more nodes than it remembers the keys of', () => {
    const signer = signerFromSeed(new Uint8Array(32).fill(3));
    const signature = signer.sign('text');
    for (let index = 0; index < 4_200; index++) {
      verifySignature(`0x${index.toString(16).padStart(64, '0')}`, 'text', signature);
    }
    expect(verifySignature(signer.publicKey, 'text', signature)).toBe(true);
  });
});

test('the platform itself takes the vectors', () => {
  const [{ publicKey, message, signature }] = vectors;
  const key = {
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(hexToBytes(publicKey)).toString('base64url') },
    format: 'jwk' as const,
  };
  expect(verify(null, Buffer.from(message), key, Buffer.from(signature, 'hex'))).toBe(true);
});

test('says the same of a signature on another thread', async () => {
  const signer = signerFromSeed(new Uint8Array(32).fill(7));
  const signature = signer.sign('text');
  expect(await verifySignatureAside(signer.publicKey, 'text', signature)).toBe(true);
  expect(await verifySignatureAside(signer.publicKey, 'text.', signature)).toBe(false);
  for (const [key, given] of [
    ['0x', signature],
    [signer.publicKey, '0'.repeat(128)],
    [signer.publicKey, ''],
  ] as const)
    expect(await verifySignatureAside(key, 'text', given)).toBe(false);
});
