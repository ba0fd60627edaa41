import { type AnchoredOrder, isAnchoredOrder } from './anchored-order.ts';
import { assert } from './assert.ts';
import { digestToCid, isCid } from './cid.ts';
import { type Hex, hashJson } from './hash.ts';
import type { Cid, StreamId } from './ids.ts';
import type { Json } from './json.ts';
import { emptyRoot, merkleProof, merkleRoot, recordLeaf } from './merkle.ts';

/** The version of the anchor manifest this code writes and the newest it reads; the first one had no `order`. */
export const anchorFormat = 2;

/** A stream's head as an anchor pins it down: stream, version and the hash of the commit at that version. */
export type AnchoredHead = readonly [stream: StreamId, version: number, hash: string];

/**
 * What an anchor says, kept as content under the digest that goes on chain with its root. It lists only
 * the heads that moved since the anchor before; `prev` and `prevRoot` lead to that one.
 */
export type AnchorManifest = {
  /** 1 without `order`, 2 with it. */
  readonly v: number;
  /** The manifest of the anchor before, null for the first. */
  readonly prev: Cid | null;
  /** The root of the anchor before, `emptyRoot` for the first. */
  readonly prevRoot: Hex;
  /** In order of stream id, each stream once. */
  readonly heads: readonly AnchoredHead[];
  /**
   * The order in which the log has the commits since the one before says it, over all streams; null where nothing is new.
   * It may end before the heads do, and begins before where the predecessor says nothing of the order.
   */
  readonly order?: AnchoredOrder | null;
};

/** An anchor ready to be pinned and sent: its manifest, the CID the manifest has, the root for the chain. */
export interface Anchor {
  readonly manifest: AnchorManifest;
  readonly cid: Cid;
  /** The manifest's SHA-256 digest, `manifestDigest` of the chain call. */
  readonly digest: Hex;
  readonly root: Hex;
}

/** The anchor of `changedHeads` and the order of new commits on top of `previous` (undefined for the first one). */
export function anchorManifest(
  previous: { readonly cid: Cid; readonly root: Hex } | undefined,
  changedHeads: Iterable<AnchoredHead>,
  order: AnchoredOrder | null,
): Anchor {
  const heads = [...changedHeads].toSorted(([a], [b]) => (a < b ? -1 : 1));
  assert(new Set(heads.map(([stream]) => stream)).size === heads.length, 'an anchor lists each stream once');
  const manifest = {
    v: anchorFormat,
    prev: previous?.cid ?? null,
    prevRoot: previous?.root ?? emptyRoot,
    heads,
    order,
  };
  const digest = manifestDigest(manifest);
  return { manifest, cid: digestToCid(digest), digest, root: anchorRoot(manifest) };
}

/** The Merkle root an anchor puts on chain: over the previous root, then the order, if it has one, then the heads in order. */
export function anchorRoot(manifest: AnchorTree): Hex {
  return merkleRoot(anchorLeaves(manifest));
}

/** What proves to `LogAnchor.isHeadAnchored` that an anchor has the head of a stream; undefined where it does not list it. */
export function headProof(manifest: AnchorTree, stream: StreamId): Hex[] | undefined {
  const index = manifest.heads.findIndex(([listed]) => listed === stream);
  const leaves = anchorLeaves(manifest);
  return index < 0 ? undefined : merkleProof(leaves, leaves.length - manifest.heads.length + index);
}

/** What proves to `LogAnchor.follows` on top of which root an anchor was made. */
export function previousProof(manifest: AnchorTree): Hex[] {
  return merkleProof(anchorLeaves(manifest), 0);
}

type AnchorTree = Pick<AnchorManifest, 'prevRoot' | 'heads' | 'order'>;

function anchorLeaves({ prevRoot, heads, order }: AnchorTree): Hex[] {
  const ordered = order ? [recordLeaf('order', order.from, order.to, order.digest)] : [];
  const leaves = heads.map(([stream, version, hash]) => recordLeaf('head', stream, version, hash));
  return [recordLeaf('prev', prevRoot), ...ordered, ...leaves];
}

/** The digest under which a manifest is pinned and named on chain. */
export function manifestDigest(manifest: AnchorManifest): Hex {
  return `0x${hashJson(manifest)}`;
}

/** Reads a manifest that came from elsewhere; undefined where it is not one: wrong form, order or version. */
export function parseAnchorManifest(value: Json): AnchorManifest | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { v, prev, prevRoot, heads, order, ...rest } = value as Readonly<Record<string, Json>>;
  if (Object.keys(rest).length > 0 || !Array.isArray(heads)) return undefined;
  if (v === 1 ? order !== undefined : v !== anchorFormat || !(order === null || isAnchoredOrder(order)))
    return undefined;
  if (prev !== null && !(typeof prev === 'string' && isCid(prev))) return undefined;
  if (typeof prevRoot !== 'string' || !/^0x[0-9a-f]{64}$/.test(prevRoot)) return undefined;
  let last = '';
  for (const head of heads as readonly Json[]) {
    if (!isAnchoredHead(head) || head[0] <= last) return undefined;
    last = head[0];
  }
  return value as unknown as AnchorManifest;
}

function isAnchoredHead(value: Json): value is AnchoredHead {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [stream, version, hash] = value as readonly Json[];
  const sound = typeof stream === 'string' && typeof version === 'number' && typeof hash === 'string';
  return sound && Number.isSafeInteger(version) && version >= 1 && /^[0-9a-f]{64}$/.test(hash);
}
