import { assert } from './assert.ts';
import { type Hex, hexToBytes, keccak256, keccakWords } from './hash.ts';
import { merkleParent } from './merkle.ts';

/**
 * A tree as `StandardMerkleTree` of `@openzeppelin/merkle-tree` builds it: leaves in ascending order of their hashes
 * fill a heap from its end, and pairs are sorted. Contracts check its proofs with OpenZeppelin's `MerkleProof`.
 */
export interface StandardTree {
  readonly root: Hex;
  /** The siblings that lead from a leaf's hash to the root; asserts that the leaf is in the tree. */
  proof(leaf: Hex): Hex[];
}

/** The hash of a leaf of static values: of their ABI encoding, twice, so that no inner node can pass for one. */
export function standardLeaf(values: readonly (bigint | number | Hex)[]): Hex {
  return keccak256(hexToBytes(keccakWords(values)));
}

/** The tree over leaf hashes, in whatever order they come; asserts that there is one at least. */
export function standardTree(leaves: readonly Hex[]): StandardTree {
  assert(leaves.length > 0, 'a tree has a leaf');
  const heap = Array.from<Hex>({ length: 2 * leaves.length - 1 });
  for (const [index, leaf] of leaves.toSorted().entries()) heap[heap.length - 1 - index] = leaf;
  for (let index = leaves.length - 2; index >= 0; index -= 1)
    heap[index] = merkleParent(heap[2 * index + 1] as Hex, heap[2 * index + 2] as Hex);
  return {
    root: heap[0] as Hex,
    proof: (leaf) => {
      let place = heap.indexOf(leaf, leaves.length - 1);
      assert(place >= 0, `no such leaf: ${leaf}`);
      const proof: Hex[] = [];
      for (; place > 0; place = (place - 1) >> 1) proof.push(heap[place % 2 === 0 ? place - 1 : place + 1] as Hex);
      return proof;
    },
  };
}
