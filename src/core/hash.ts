import { hash } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { canonicalJson } from './canonical-json.ts';

/** `0x` and lower-case hexadecimal digits. */
export type Hex = `0x${string}`;

const utf8 = new TextEncoder();

/** The bytes of a `0x` hex string. */
export function hexToBytes(hex: Hex): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'));
}

/** Bytes as a `0x` hex string. */
export function bytesToHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

/** SHA-256 over text (UTF-8) or bytes, as 64 hex digits without prefix. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** Keccak-256, the chain's hash, over text (UTF-8) or bytes. */
export function keccak256(data: string | Uint8Array): Hex {
  return bytesToHex(keccak_256(typeof data === 'string' ? utf8.encode(data) : data));
}

/** SHA-256 over the canonical JSON of a value, as 64 hex digits: the hash of states and commits. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}

/** A 32-byte big-endian word: what `abi.encode` makes of one static value. */
export function word(value: bigint | number | Hex): Uint8Array {
  const digits = typeof value === 'string' ? value.slice(2) : BigInt(value).toString(16);
  if (digits.length > 64) throw new RangeError('a word holds 32 bytes');
  return hexToBytes(`0x${digits.padStart(64, '0')}`);
}

/** Keccak-256 over words laid end to end: `keccak256(abi.encode(...))` for static types. */
export function keccakWords(values: readonly (bigint | number | Hex)[]): Hex {
  const bytes = new Uint8Array(values.length * 32);
  values.forEach((value, index) => bytes.set(word(value), index * 32));
  return keccak256(bytes);
}
