import { assert } from './assert.ts';
import { type Hex, hexToBytes, keccak256 } from './hash.ts';

/** The root of a tree with no leaves. */
export const emptyRoot: Hex = `0x${'00'.repeat(32)}`;

/** The hash of a leaf: keccak-256 twice over its bytes, so that no inner node can pass for a leaf. */
export function merkleLeaf(data: string | Uint8Array): Hex {
  return keccak256(hexToBytes(keccak256(data)));
}

/** One step up the tree. Pairs are sorted, as OpenZeppelin's `MerkleProof` expects. */
export function merkleParent(a: Hex, b: Hex): Hex {
  const [left, right] = a < b ? [a, b] : [b, a];
  return keccak256(hexToBytes(`0x${left.slice(2)}${right.slice(2)}`));
}

function levelAbove(level: readonly Hex[]): Hex[] {
  const above: Hex[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const left = level[index] as Hex;
    const right = level[index + 1];
    above.push(right === undefined ? left : merkleParent(left, right));
  }
  return above;
}

/** The root over leaf hashes in the given order; {@link emptyRoot} where there are none. */
export function merkleRoot(leaves: readonly Hex[]): Hex {
  if (leaves.length === 0) return emptyRoot;
  let level: readonly Hex[] = leaves;
  while (level.length > 1) level = levelAbove(level);
  return level[0] as Hex;
}

/** The siblings that lead from leaf `index` to the root. */
export function merkleProof(leaves: readonly Hex[], index: number): Hex[] {
  assert(index >= 0 && index < leaves.length, 'no such leaf');
  const proof: Hex[] = [];
  let level: readonly Hex[] = leaves;
  let position = index;
  while (level.length > 1) {
    const sibling = level[position ^ 1];
    if (sibling !== undefined) proof.push(sibling);
    level = levelAbove(level);
    position >>= 1;
  }
  return proof;
}

/** Whether a proof leads from a leaf hash to `root`. */
export function verifyMerkleProof(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
  return proof.reduce(merkleParent, leaf) === root;
}

/** A leaf hash over several numbers and texts in one line, for trees of records. */
export function recordLeaf(...fields: readonly (string | number)[]): Hex {
  return merkleLeaf(fields.map((field) => `${String(field).length}:${field}`).join(','));
}
