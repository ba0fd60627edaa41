import fc from 'fast-check';
import { compactSignatureToSignature, recoverAddress, serializeSignature } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { createSigning } from '../adapters/chain/signing.ts';
import { bytesToHex, type Hex } from './hash.ts';
import { toAddress } from './ids.ts';
import { recoverSigner } from './recover-signer.ts';

/** The order of the curve's group. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const words = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex);
const keys = fc.bigInt({ min: 1n, max: order - 1n }).map((key): Hex => `0x${key.toString(16).padStart(64, '0')}`);

describe('the signer of a digest', () => {
  it('is found for any key, the same that viem finds, and no other for another digest', async () => {
    await fc.assert(
      fc.asyncProperty(keys, words, words, async (key, digest, other) => {
        const account = privateKeyToAccount(key);
        const address = toAddress(account.address);
        const signature = await createSigning([account]).signDigest(address, digest);
        expect(recoverSigner(digest, signature)).toBe(address);
        const whole = serializeSignature(compactSignatureToSignature({ r: signature.r, yParityAndS: signature.vs }));
        expect(toAddress(await recoverAddress({ hash: digest, signature: whole }))).toBe(address);
        expect(recoverSigner(other, signature) === address).toBe(other === digest);
      }),
      { numRuns: 50 },
    );
  });

  it('is nobody for what is no signature', () => {
    const zero: Hex = `0x${'0'.repeat(64)}`;
    const full: Hex = `0x${'f'.repeat(64)}`;
    expect(recoverSigner(zero, { r: zero, vs: zero })).toBeUndefined();
    expect(recoverSigner(zero, { r: full, vs: full })).toBeUndefined();
    expect(recoverSigner(zero, { r: '0x01', vs: zero })).toBeUndefined();
  });

  it('is nobody for the other form of a signature, with a high s', async () => {
    const account = privateKeyToAccount(`0x${'1'.repeat(64)}`);
    const digest: Hex = `0x${'2'.repeat(64)}`;
    const { r, vs } = await createSigning([account]).signDigest(toAddress(account.address), digest);
    const s = BigInt(vs) & (2n ** 255n - 1n);
    const high = order - s;
    // Some of them do not fit beside the parity at all.
    const parity = 1n - (BigInt(vs) >> 255n);
    const other: Hex = `0x${((high & (2n ** 255n - 1n)) | (parity << 255n)).toString(16).padStart(64, '0')}`;
    expect(recoverSigner(digest, { r, vs: other })).not.toBe(toAddress(account.address));
  });
});
