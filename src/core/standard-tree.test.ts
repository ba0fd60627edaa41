import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Hex } from './hash.ts';
import { verifyMerkleProof } from './merkle.ts';
import { standardLeaf, standardTree } from './standard-tree.ts';

interface Tree {
  readonly values: readonly (readonly [Hex, string, string])[];
  readonly root: Hex;
  readonly proofs: readonly (readonly Hex[])[];
}

/** Written by the library itself. */
const file = new URL('../../test/fixtures/standard-trees.json', import.meta.url);
const { trees } = JSON.parse(readFileSync(file, 'utf8')) as { trees: readonly Tree[] };

const leafOf = ([node, level, work]: Tree['values'][number]): Hex => standardLeaf([node, BigInt(level), BigInt(work)]);

test('roots and proofs are those of @openzeppelin/merkle-tree', () => {
  expect(trees).toHaveLength(12);
  for (const { values, root, proofs } of trees) {
    const tree = standardTree(values.map(leafOf));
    expect(tree.root).toBe(root);
    expect(values.map((value) => tree.proof(leafOf(value)))).toEqual(proofs);
  }
});

test('the order of the leaves makes no difference', () => {
  for (const { values, root } of trees) expect(standardTree(values.map(leafOf).toReversed()).root).toBe(root);
});

test('a proof holds for its own leaf only', () => {
  const leaves = (trees.at(-1) as Tree).values.map(leafOf);
  const tree = standardTree(leaves);
  const [first, second] = leaves as [Hex, Hex];
  expect(verifyMerkleProof(tree.root, first, tree.proof(first))).toBe(true);
  expect(verifyMerkleProof(tree.root, second, tree.proof(first))).toBe(false);
});

test('there is no tree without leaves and no proof of what is not in it', () => {
  expect(() => standardTree([])).toThrow('a tree has a leaf');
  const [leaf, other] = (trees.at(-1) as Tree).values.map(leafOf) as [Hex, Hex];
  expect(() => standardTree([leaf]).proof(other)).toThrow('no such leaf');
});
