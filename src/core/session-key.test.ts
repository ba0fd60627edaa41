import { secp256k1 } from '@noble/curves/secp256k1.js';
import { hashTypedData, parseSignature, signatureToCompactSignature } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { bytesToHex } from './hash.ts';
import { sessionId, sessionNumber, toAddress } from './ids.ts';
import { keySigner, sessionKeyDigest } from './session-key.ts';

const sessions = toAddress(`0x${'a1'.repeat(20)}`);
const place = { chainId: 31_337, sessions };
const key = { session: sessionId(31_337, sessions, 7), keyHash: 'ab'.repeat(32), goodUntil: 1_800_000_000_000 };
const owner = privateKeyToAccount(bytesToHex(secp256k1.utils.randomSecretKey()));

async function signed() {
  const signature = await owner.sign({ hash: sessionKeyDigest(place, key) });
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(signature));
  return { ...key, signature: { r, vs: yParityAndS } };
}

test('what an owner signs is an EIP-712 message of a purpose of its own', () => {
  const expected = hashTypedData({
    domain: { name: 'pouw keys', version: '1', chainId: 31_337, verifyingContract: sessions },
    types: {
      Key: [
        { name: 'sessionId', type: 'uint64' },
        { name: 'keyHash', type: 'bytes32' },
        { name: 'goodUntil', type: 'uint40' },
      ],
    },
    primaryType: 'Key',
    message: { sessionId: sessionNumber(key.session), keyHash: `0x${key.keyHash}`, goodUntil: 1_800_000_000 },
  });
  expect(sessionKeyDigest(place, key)).toBe(expected);
});

test('its signature is the owner’s for this key, session, time, chain and contract, and for nothing else', async () => {
  const good = await signed();
  const address = toAddress(owner.address);
  expect(keySigner(place, good)).toBe(address);
  const others = [
    keySigner(place, { ...good, keyHash: 'ac'.repeat(32) }),
    keySigner(place, { ...good, session: sessionId(31_337, sessions, 8) }),
    keySigner(place, { ...good, goodUntil: good.goodUntil + 1_000 }),
    keySigner({ ...place, chainId: 1 }, good),
    keySigner({ ...place, sessions: toAddress(`0x${'a2'.repeat(20)}`) }, good),
  ];
  for (const signer of others) expect(signer).not.toBe(address);
});

test('nothing has signed what is no signature', () => {
  const zero = `0x${'00'.repeat(32)}` as const;
  expect(keySigner(place, { ...key, signature: { r: zero, vs: zero } })).toBeUndefined();
});
