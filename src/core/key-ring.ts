import { createHmac } from 'node:crypto';
import { assert } from './assert.ts';
import { type Signer, signerFromSeed } from './ed25519.ts';
import { bytesToHex, type Hex, hexToBytes, sha256 } from './hash.ts';
import type { Role } from './ids.ts';

/** What a key is for; each purpose has its own derivation. */
type Purpose = 'account' | 'stream' | 'api-key';

/**
 * All keys of one data directory, derived from one 32-byte secret by HMAC-SHA-256 over purpose, role and
 * number. Losing a derived key does not reveal the secret or another key.
 */
export class KeyRing {
  readonly #secret: Uint8Array;

  constructor(secret: Hex) {
    const bytes = hexToBytes(secret);
    assert(bytes.length === 32, 'the secret of a key ring has 32 bytes');
    this.#secret = bytes;
  }

  #derive(purpose: Purpose, of: string): Uint8Array {
    return new Uint8Array(createHmac('sha256', this.#secret).update(`pouw/v1/${purpose}/${of}`).digest());
  }

  /** The secp256k1 private key of a node's account. Its odds of being invalid are 2^-128. */
  account(role: Role | 'deployer', index: number): Hex {
    return bytesToHex(this.#derive('account', `${role}/${index}`));
  }

  /** The Ed25519 signer of a node. */
  signer(role: Role, index: number): Signer {
    return signerFromSeed(this.#derive('stream', `${role}/${index}`));
  }

  /** The HTTP key of a client's session. */
  apiKey(label: string): string {
    return apiKeyOf(this.#derive('api-key', label));
  }
}

/** The text of an HTTP key of so many secret bytes. */
export function apiKeyOf(secret: Uint8Array): string {
  return `pouw_${Buffer.from(secret).toString('base64url')}`;
}

/** What the log keeps of an HTTP key. */
export function apiKeyHash(apiKey: string): string {
  return sha256(apiKey);
}
