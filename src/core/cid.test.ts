import * as dagJson from '@ipld/dag-json';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { sha256 as multiformatsSha256 } from 'multiformats/hashes/sha2';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { cidToDigest, contentCid, digestToCid, isCid } from './cid.ts';
import { bytesToHex, type Hex } from './hash.ts';
import type { Json } from './json.ts';

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex);

// JSON whose integers a double holds exactly: beyond 2^53 the reference encoder marks them as floats.
const values = fc.jsonValue().filter((value) => !/\d{16}/.test(JSON.stringify(value))) as fc.Arbitrary<Json>;

async function referenceCid(value: Json): Promise<string> {
  return CID.createV1(dagJson.code, await multiformatsSha256.digest(dagJson.encode(value))).toString();
}

describe('content identifiers', () => {
  it('are what multiformats makes of the same value', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        expect(contentCid(value)).toBe(await referenceCid(value));
      }),
    );
  });

  it('name blocks that are byte for byte the DAG-JSON of the reference codec', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(canonicalJson(value)).toBe(dagJson.stringify(value));
      }),
    );
  });

  it('hold the digest that multiformats reads from them', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        const cid = CID.parse(digestToCid(digest));
        expect([cid.version, cid.code, cid.multihash.code]).toEqual([1, 0x0129, 0x12]);
        expect(bytesToHex(cid.multihash.digest)).toBe(digest);
      }),
    );
  });

  it('lead back to their digest', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        expect(cidToDigest(digestToCid(digest))).toBe(digest);
      }),
    );
  });

  it('are all different for different digests', () => {
    fc.assert(
      fc.property(digests, digests, (a, b) => {
        fc.pre(a !== b);
        expect(digestToCid(a)).not.toBe(digestToCid(b));
      }),
    );
  });

  it('refuse every other text', () => {
    const cid = contentCid({ a: 1 });
    const others = [
      '',
      'b',
      cid.slice(0, -1),
      `${cid}a`,
      cid.toUpperCase(),
      `${cid.slice(0, -1)}1`,
      `z${cid.slice(1)}`,
      // Same digest, spare bits set: a second spelling of one CID would defeat comparison.
      `${cid.slice(0, -1)}b`,
      'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje',
      'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
    ];
    for (const text of others) {
      expect(isCid(text), text).toBe(false);
      expect(() => cidToDigest(text), text).toThrow(expect.objectContaining({ code: 'invalid_cid', class: 'invalid' }));
    }
    expect(isCid(cid)).toBe(true);
  });

  it('refuse what is not a digest', () => {
    for (const digest of ['0x', `0x${'A'.repeat(64)}`, `0x${'0'.repeat(63)}`, 'a'.repeat(66)] as Hex[]) {
      expect(() => digestToCid(digest), digest).toThrow(expect.objectContaining({ code: 'invalid_cid' }));
    }
  });
});
