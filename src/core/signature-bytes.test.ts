import { secp256k1 } from '@noble/curves/secp256k1.js';
import { compactSignatureToSignature, serializeSignature } from 'viem';
import { expect, test } from 'vitest';
import { keccak256 } from './hash.ts';
import { signatureBytes } from './signature-bytes.ts';

test('a compact signature becomes the 65 bytes that viem makes of it, whatever its parity', () => {
  const seen = new Set<string>();
  for (let number = 1; number <= 16; number += 1) {
    const digest = Buffer.from(keccak256(`message ${number}`).slice(2), 'hex');
    const bytes = secp256k1.sign(digest, new Uint8Array(32).fill(number), { prehash: false, format: 'recovered' });
    const [parity, r, s] = [bytes[0] ?? 0, bytes.slice(1, 33), bytes.slice(33)];
    const vs = Uint8Array.from(s);
    vs[0] = (vs[0] ?? 0) | (parity << 7);
    const hex = (part: Uint8Array): `0x${string}` => `0x${Buffer.from(part).toString('hex')}`;
    const compact = { r: hex(r), vs: hex(vs) };
    const made = signatureBytes(compact);
    expect(made).toBe(serializeSignature(compactSignatureToSignature({ r: compact.r, yParityAndS: compact.vs })));
    seen.add(made.slice(-2));
  }
  expect(seen).toEqual(new Set(['1b', '1c']));
});
