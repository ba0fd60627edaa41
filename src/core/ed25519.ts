import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { assert } from './assert.ts';
import { bytesToHex, type Hex, hexToBytes } from './hash.ts';

/** Signs log commits and stream chunks for one node. */
export interface Signer {
  /** The Ed25519 public key, 32 bytes, as the registry holds it. */
  readonly publicKey: Hex;
  /** A 64-byte signature over the UTF-8 bytes of `text`, as 128 hex digits. */
  sign(text: string): string;
}

// DER prefixes of RFC 8410: what turns 32 raw bytes into a key Node can load.
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** How many parsed public keys are kept: one per node a process talks to. */
const publicKeyCacheMax = 4_096;
const publicKeys = new Map<Hex, KeyObject>();

/** The signer of a 32-byte secret seed (RFC 8032). The seed never leaves the closure. */
export function signerFromSeed(seed: Uint8Array): Signer {
  assert(seed.length === 32, 'an Ed25519 seed has 32 bytes');
  const privateKey = createPrivateKey({
    key: Buffer.concat([privatePrefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: bytesToHex(der.subarray(publicPrefix.length)),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('hex'),
  };
}

function publicKeyObject(publicKey: Hex): KeyObject {
  const known = publicKeys.get(publicKey);
  if (known !== undefined) return known;
  const key = createPublicKey({
    key: Buffer.concat([publicPrefix, hexToBytes(publicKey)]),
    format: 'der',
    type: 'spki',
  });
  if (publicKeys.size >= publicKeyCacheMax) publicKeys.clear();
  publicKeys.set(publicKey, key);
  return key;
}

/** Whether `signature` (128 hex digits) over `text` was made by the holder of `publicKey`. */
export function verifySignature(publicKey: Hex, text: string, signature: string): boolean {
  if (!/^0x[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return false;
  return verify(null, Buffer.from(text), publicKeyObject(publicKey), Buffer.from(signature, 'hex'));
}

/** {@link verifySignature} on another thread: for whoever has many to check and must not keep others waiting. */
export function verifySignatureAside(publicKey: Hex, text: string, signature: string): Promise<boolean> {
  if (!/^0x[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return Promise.resolve(false);
  const given = Buffer.from(signature, 'hex');
  return new Promise((resolve, reject) => {
    verify(null, Buffer.from(text), publicKeyObject(publicKey), given, (error, isGood) =>
      error === null ? resolve(isGood) : reject(error),
    );
  });
}
