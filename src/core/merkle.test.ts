import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from './assert.ts';
import { type Hex, hexToBytes, keccak256 } from './hash.ts';
import { emptyRoot, merkleLeaf, merkleProof, merkleRoot, recordLeaf, verifyMerkleProof } from './merkle.ts';

function leavesOf(count: number): Hex[] {
  return Array.from({ length: count }, (_, index) => merkleLeaf(`leaf ${index}`));
}

function join(a: Hex, b: Hex): Hex {
  const [left, right] = a < b ? [a, b] : [b, a];
  return keccak256(hexToBytes(`${left}${right.slice(2)}`));
}

describe('a Merkle tree', () => {
  test('of nothing has the empty root, of one leaf that leaf', () => {
    const [leaf] = leavesOf(1) as [Hex];
    expect(merkleRoot([])).toBe(emptyRoot);
    expect(merkleRoot([leaf])).toBe(leaf);
    expect(merkleProof([leaf], 0)).toEqual([]);
    expect(verifyMerkleProof(leaf, leaf, [])).toBe(true);
  });

  test('joins sorted pairs and carries an odd leaf up as it is', () => {
    const [a, b, c] = leavesOf(3) as [Hex, Hex, Hex];
    expect(merkleRoot([a, b])).toBe(join(a, b));
    expect(merkleRoot([b, a])).toBe(join(a, b));
    expect(merkleRoot([a, b, c])).toBe(join(join(a, b), c));
    expect(merkleProof([a, b, c], 2)).toEqual([join(a, b)]);
  });

  test('hashes leaves twice, so that an inner node cannot pass for one', () => {
    const [a, b] = leavesOf(2) as [Hex, Hex];
    const inner = hexToBytes(`${a < b ? a : b}${(a < b ? b : a).slice(2)}`);
    expect(merkleLeaf(inner)).not.toBe(merkleRoot([a, b]));
    expect(merkleLeaf('x')).toBe(keccak256(hexToBytes(keccak256('x'))));
  });

  test('has no proof for a leaf that is not there', () => {
    expect(() => merkleProof(leavesOf(3), 3)).toThrow(AssertionError);
    expect(() => merkleProof(leavesOf(3), -1)).toThrow(AssertionError);
  });
});

describe('for any tree', () => {
  const place = fc.integer({ min: 1, max: 70 }).chain((count) => fc.tuple(fc.constant(count), fc.nat(count - 1)));

  test('the proof of each leaf leads to the root, with no more steps than the tree is high', () => {
    fc.assert(
      fc.property(place, ([count, index]) => {
        const leaves = leavesOf(count);
        const proof = merkleProof(leaves, index);
        expect(verifyMerkleProof(merkleRoot(leaves), leaves[index] as Hex, proof)).toBe(true);
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
      }),
    );
  });

  test('no other leaf, root or altered proof passes', () => {
    fc.assert(
      fc.property(place, ([count, index]) => {
        const leaves = leavesOf(count);
        const [root, leaf, proof] = [merkleRoot(leaves), leaves[index] as Hex, merkleProof(leaves, index)];
        const stranger = merkleLeaf('stranger');
        expect(verifyMerkleProof(root, stranger, proof)).toBe(false);
        expect(verifyMerkleProof(stranger, leaf, proof)).toBe(false);
        expect(verifyMerkleProof(root, leaf, [...proof, stranger])).toBe(false);
        expect(verifyMerkleProof(root, leaf, [stranger, ...proof.slice(1)])).toBe(false);
      }),
    );
  });

  test('changing, dropping or adding a leaf changes the root', () => {
    fc.assert(
      fc.property(place, ([count, index]) => {
        const leaves = leavesOf(count);
        const root = merkleRoot(leaves);
        expect(merkleRoot(leaves.with(index, merkleLeaf('stranger')))).not.toBe(root);
        expect(merkleRoot(leaves.toSpliced(index, 1))).not.toBe(root);
        expect(merkleRoot([...leaves, merkleLeaf('stranger')])).not.toBe(root);
      }),
    );
  });
});

test('the leaf of a record tells its fields apart', () => {
  expect(recordLeaf('a', 1)).toBe(recordLeaf('a', '1'));
  expect(recordLeaf('ab', 'c')).not.toBe(recordLeaf('a', 'bc'));
  expect(recordLeaf('a,1:b')).not.toBe(recordLeaf('a', 'b'));
  expect(recordLeaf('a', '')).not.toBe(recordLeaf('a'));
});
