import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type AnchoredHead,
  anchorManifest,
  anchorRoot,
  headProof,
  manifestDigest,
  parseAnchorManifest,
  previousProof,
} from './anchor.ts';
import { type AnchoredOrder, anchoredOrder } from './anchored-order.ts';
import { contentCid } from './cid.ts';
import type { Hex } from './hash.ts';
import { type StreamId, streamId } from './ids.ts';
import type { Json } from './json.ts';
import { emptyRoot, merkleRoot, recordLeaf } from './merkle.ts';

const head = (id: string, version: number): AnchoredHead => [streamId('session', id), version, id.repeat(64)];

describe('anchors', () => {
  it('list the changed heads in order of stream, whatever order they come in', () => {
    const one = anchorManifest(undefined, [head('c', 3), head('a', 1), head('b', 2)], null);
    const other = anchorManifest(undefined, [head('b', 2), head('c', 3), head('a', 1)], null);
    expect(one.manifest.heads.map(([stream]) => stream)).toEqual(['session.a', 'session.b', 'session.c']);
    expect(other).toEqual(one);
  });

  it('list each stream once: two heads of one stream are a mistake', () => {
    expect(() => anchorManifest(undefined, [head('a', 1), head('a', 2)], null)).toThrow(/each stream once/);
  });

  it('have the root over the previous root and every head', () => {
    const anchor = anchorManifest(undefined, [head('a', 1), head('b', 2)], null);
    expect(anchor.root).toBe(
      merkleRoot([
        recordLeaf('prev', emptyRoot),
        recordLeaf('head', 'session.a', 1, 'a'.repeat(64)),
        recordLeaf('head', 'session.b', 2, 'b'.repeat(64)),
      ]),
    );
  });

  it('name the one before by CID and root', () => {
    const first = anchorManifest(undefined, [head('a', 1)], null);
    const second = anchorManifest(first, [head('a', 2)], null);
    expect(first.manifest).toMatchObject({ prev: null, prevRoot: emptyRoot });
    expect(second.manifest).toMatchObject({ prev: first.cid, prevRoot: first.root });
    expect(second.root).not.toBe(anchorManifest(undefined, [head('a', 2)], null).root);
  });

  it('are pinned under the CID whose digest goes on chain', () => {
    const anchor = anchorManifest(undefined, [head('a', 1)], null);
    expect(anchor.cid).toBe(contentCid(anchor.manifest));
    expect(anchor.digest).toBe(manifestDigest(anchor.manifest));
  });

  it('have a root that the order changes, and that is the old one where they have none', () => {
    const heads = [head('a', 1)];
    const roots = [null, anchoredOrder(1, ['a'.repeat(64)]), anchoredOrder(2, ['a'.repeat(64)])].map(
      (order) => anchorManifest(undefined, heads, order).root,
    );
    expect(new Set(roots).size).toBe(3);
    expect(roots[0]).toBe(anchorRoot({ prevRoot: emptyRoot, heads }));
  });

  it('change their root with every field of a head', () => {
    const roots = [
      head('a', 1),
      head('b', 1),
      head('a', 2),
      ['session.a', 1, 'f'.repeat(64)] as unknown as AnchoredHead,
    ].map((one) => anchorRoot({ prevRoot: emptyRoot, heads: [one] }));
    expect(new Set(roots).size).toBe(roots.length);
  });

  it('are read back, and nothing else is', () => {
    const { manifest } = anchorManifest(undefined, [head('a', 1), head('b', 2)], null);
    const ordered = anchorManifest(undefined, [head('a', 1)], anchoredOrder(1, ['a'.repeat(64)])).manifest;
    const { order: _, ...old } = { ...manifest, v: 1 };
    for (const one of [manifest, ordered, old]) {
      expect(parseAnchorManifest(JSON.parse(JSON.stringify(one)) as Json)).toEqual(one);
    }
    const [a, b] = manifest.heads;
    const wrong: unknown[] = [
      null,
      [],
      'text',
      { ...manifest, v: 1 },
      { ...manifest, v: 3 },
      { ...manifest, order: undefined },
      { ...manifest, order: { from: 1 } },
      { ...manifest, more: 1 },
      { ...manifest, prev: 1 },
      { ...manifest, prev: 'bafy' },
      { ...manifest, prevRoot: '0x00' },
      { ...manifest, heads: {} },
      { ...manifest, heads: [b, a] },
      { ...manifest, heads: [a, a] },
      { ...manifest, heads: [['session.a', 0, 'a'.repeat(64)]] },
      { ...manifest, heads: [['session.a', 1.5, 'a'.repeat(64)]] },
      { ...manifest, heads: [['session.a', 1, 'xyz']] },
      { ...manifest, heads: [['session.a', 1]] },
    ];
    for (const value of wrong) expect(parseAnchorManifest(value as Json), JSON.stringify(value)).toBeUndefined();
  });
});

interface Vector {
  readonly prevRoot: Hex;
  readonly order: AnchoredOrder | null;
  readonly root: Hex;
  readonly prevProof: readonly Hex[];
  readonly heads: readonly {
    readonly stream: StreamId;
    readonly version: number;
    readonly hash: Hex;
    readonly proof: readonly Hex[];
  }[];
}

/** The contract is held to the same file by `contracts/test/unit/LogAnchor.t.sol`. */
const file = new URL('../../contracts/test/vectors/anchors.json', import.meta.url);
const { anchors } = JSON.parse(readFileSync(file, 'utf8')) as { anchors: readonly Vector[] };

it('roots and proofs of anchors are the same on chain and off it', () => {
  expect(anchors.map(({ heads }) => heads.length)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  for (const { prevRoot, order, root, prevProof, heads } of anchors) {
    const manifest = {
      prevRoot,
      order,
      heads: heads.map(({ stream, version, hash }) => [stream, version, hash.slice(2)] as const),
    };
    expect(anchorRoot(manifest)).toBe(root);
    expect(previousProof(manifest)).toEqual(prevProof);
    for (const { stream, proof } of heads) expect(headProof(manifest, stream)).toEqual(proof);
    expect(headProof(manifest, streamId('session', 'other'))).toBeUndefined();
  }
});
