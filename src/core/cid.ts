import { PouwError } from './errors.ts';
import { bytesToHex, type Hex, hashJson, hexToBytes } from './hash.ts';
import type { Cid } from './ids.ts';
import type { Json } from './json.ts';

// What our CIDs begin with: version 1, codec dag-json (0x0129 as a varint), hash sha2-256, 32 bytes long.
// https://github.com/multiformats/cid, https://github.com/multiformats/multicodec
const prefix = [0x01, 0xa9, 0x02, 0x12, 0x20];
const prefixText = 'baguqeera';

// RFC 4648 base32 in lower case, which multibase marks with a leading `b`.
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Characters of a CID: the `b` and 37 bytes at five bits each. */
const cidChars = 61;

/** The CID of the dag-json block that has this SHA-256 digest (32 bytes in hex, as the chain keeps it). */
export function digestToCid(digest: Hex): Cid {
  if (!/^0x[0-9a-f]{64}$/.test(digest)) throw invalidCid(digest, 'A digest is 0x and 64 lower-case hex digits.');
  return `b${encodeBase32([...prefix, ...hexToBytes(digest)])}` as Cid;
}

/**
 * The SHA-256 digest inside a CID, as the chain keeps it.
 *
 * @throws PouwError `invalid_cid` for anything but a CIDv1 in base32 of a dag-json block under SHA-256.
 */
export function cidToDigest(cid: string): Hex {
  const digest = digestIn(cid);
  if (digest === undefined) throw invalidCid(cid);
  return digest;
}

/** Whether text is a CID of ours. */
export function isCid(text: string): text is Cid {
  return digestIn(text) !== undefined;
}

/**
 * The CID of a value without storing it. A block is the value's canonical JSON, which is the DAG-JSON that
 * IPFS implementations write for it too.
 */
export function contentCid(value: Json): Cid {
  return digestToCid(`0x${hashJson(value)}`);
}

function digestIn(text: string): Hex | undefined {
  if (text.length !== cidChars || !text.startsWith(prefixText)) return undefined;
  const bytes = decodeBase32(text.slice(1));
  // 60 characters carry four bits more than 37 bytes; only the text with those at zero is the CID.
  if (bytes === undefined || `b${encodeBase32(bytes)}` !== text) return undefined;
  return bytesToHex(bytes.subarray(prefix.length));
}

function invalidCid(
  text: string,
  why = 'Content here is named by CIDv1 in base32, codec dag-json, hash sha2-256.',
): PouwError {
  return new PouwError('invalid_cid', `Not a content identifier: ${text.slice(0, 80)}`, { class: 'invalid', why });
}

function encodeBase32(bytes: Iterable<number>): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(held >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31];
}

function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length] = (held >> bits) & 0xff;
    length += 1;
  }
  return bytes;
}
