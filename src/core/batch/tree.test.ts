import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { expect, test } from 'vitest';
import { sampleBatch, sampleTasks } from '../../../test/kit/batch-sample.ts';
import { verifyMerkleProof } from '../merkle.ts';
import { leafHash, type LeafKind, leafKinds, leafTypes } from './leaves.ts';
import { batchTree, leafValues, placed, treeHeight } from './tree.ts';

const { data } = sampleBatch(1, sampleTasks(13, 1, 2));

/** The same tree by the library. */
const standard = (kind: LeafKind) =>
  StandardMerkleTree.of(
    data[kind].leaves.map((leaf) => leafValues(kind, leaf as never)),
    [...leafTypes[kind]],
    { sortLeaves: false },
  );

test.each(leafKinds)('a tree of %ss is a StandardMerkleTree', (kind) => {
  const theirs = standard(kind);
  expect(theirs.root).toBe(data[kind].root);
  data[kind].leaves.forEach((leaf, position) => {
    const values = leafValues(kind, leaf as never);
    expect(theirs.leafHash(values)).toBe(leafHash(values));
    // Ours convinces theirs, theirs convinces ours.
    const ours = placed<unknown>(data[kind], position).proof;
    expect(StandardMerkleTree.verify(data[kind].root, [...leafTypes[kind]], values, [...ours])).toBe(true);
    const proof = theirs.getProof(position) as typeof ours;
    expect(verifyMerkleProof(data[kind].root, leafHash(values), proof)).toBe(true);
    expect(proof).toEqual(ours);
  });
});

test('every proof is as long as its tree is high', () => {
  for (const kind of leafKinds) {
    const height = treeHeight(kind === 'payment' ? data.header.payments : data.header.tasks);
    data[kind].leaves.forEach((_, position) => {
      expect(placed<unknown>(data[kind], position).proof).toHaveLength(height);
    });
  }
});

test('trees are filled up to a power of two', () => {
  expect([0, 1, 2, 3, 4, 5, 1_024, 1_025].map(treeHeight)).toEqual([0, 0, 1, 2, 2, 3, 10, 11]);
  expect(data.outcome.leaves).toHaveLength(16);
  expect(data.outcome.count).toBe(13);
  expect(batchTree('payment', []).leaves).toEqual([]);
  expect(() => placed(data.outcome, 16)).toThrow('a tree has no leaf 16');
});
