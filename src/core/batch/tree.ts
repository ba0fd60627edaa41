import { assert } from '../assert.ts';
import type { Hex } from '../hash.ts';
import type { TaskId } from '../ids.ts';
import { emptyRoot, merkleParent } from '../merkle.ts';
import { zeroWei } from '../wei.ts';
import {
  leafHash,
  type LeafKind,
  type LeafValue,
  outcomeValues,
  type OutcomeLeaf,
  paymentValues,
  type PaymentLeaf,
  precommitValues,
  type PrecommitLeaf,
  revealValues,
  type RevealLeaf,
  zeroHash,
} from './leaves.ts';

/** The leaves of the trees, by kind. */
export interface Leaves {
  readonly precommit: PrecommitLeaf;
  readonly reveal: RevealLeaf;
  readonly outcome: OutcomeLeaf;
  readonly payment: PaymentLeaf;
}

/**
 * One tree of a batch, full: after `count` leaves that mean something come those that fill it up to a power of two, so
 * that it has room for exactly one leaf at each position.
 */
export interface BatchTree<Leaf = unknown> {
  readonly count: number;
  readonly leaves: readonly Leaf[];
  readonly hashes: readonly Hex[];
  readonly root: Hex;
  /** The nodes by level, the leaves' hashes first and the root last, so that a proof costs a few look-ups. */
  readonly levels: readonly (readonly Hex[])[];
}

const nobody = `0x${'00'.repeat(20)}` as PaymentLeaf['account'];
const noTask = zeroHash as TaskId;

/** The leaf that fills a position up. */
const filler: { readonly [Kind in LeafKind]: (position: number) => Leaves[Kind] } = {
  precommit: (position) => ({
    position,
    session: 0,
    task: noTask,
    step: 0,
    maxPriceWei: zeroWei,
    miners: [],
    attempts: [],
    precommits: [],
    validators: [],
  }),
  reveal: (position) => ({ position, task: noTask, resultRoots: [], salts: [] }),
  outcome: (position) => ({
    position,
    task: noTask,
    step: 0,
    winner: 0,
    honest: 0,
    voters: 0,
    promptTokens: 0,
    outputTokens: 0,
    priceWei: zeroWei,
    refundWei: zeroWei,
    sessionPriceWei: zeroWei,
    sessionRefundWei: zeroWei,
  }),
  payment: (index) => ({
    index,
    account: nobody,
    position: 0,
    share: 'miner',
    amountWei: zeroWei,
    accountTotalWei: zeroWei,
    batchTotalWei: zeroWei,
    sinceBatch: 0,
  }),
};

const valuesOf: { readonly [Kind in LeafKind]: (leaf: Leaves[Kind]) => LeafValue[] } = {
  precommit: precommitValues,
  reveal: revealValues,
  outcome: outcomeValues,
  payment: paymentValues,
};

/** How high a tree over so many leaves is: the length of every proof. */
export function treeHeight(count: number): number {
  return count < 2 ? 0 : 32 - Math.clz32(count - 1);
}

/** A tree over leaves, filled up; `count` says how many of them mean something where they are filled up already. */
export function batchTree<Kind extends LeafKind>(
  kind: Kind,
  given: readonly Leaves[Kind][],
  count = given.length,
): BatchTree<Leaves[Kind]> {
  const width = given.length === 0 ? 0 : 2 ** treeHeight(given.length);
  const leaves = [...given];
  while (leaves.length < width) leaves.push(filler[kind](leaves.length));
  const hashes = leaves.map((leaf) => leafHash(valuesOf[kind](leaf)));
  const levels: (readonly Hex[])[] = [hashes];
  for (let level: readonly Hex[] = hashes; level.length > 1; levels.push(level)) level = levelAbove(level);
  return { count, leaves, hashes, root: levels.at(-1)?.[0] ?? emptyRoot, levels };
}

/** The parents of a full level. */
function levelAbove(level: readonly Hex[]): Hex[] {
  return Array.from({ length: level.length / 2 }, (_, index) =>
    merkleParent(level[2 * index] as Hex, level[2 * index + 1] as Hex),
  );
}

/** The values of a leaf in the order in which the contract hashes them. */
export function leafValues<Kind extends LeafKind>(kind: Kind, leaf: Leaves[Kind]): LeafValue[] {
  return valuesOf[kind](leaf);
}

/** A leaf with its proof, as the contracts take it. */
export interface Placed<Leaf> {
  readonly leaf: Leaf;
  readonly proof: readonly Hex[];
}

/** The leaf at a position with its proof. */
export function placed<Leaf>(tree: BatchTree<Leaf>, position: number): Placed<Leaf> {
  const leaf = tree.leaves[position];
  assert(leaf !== undefined, `a tree has no leaf ${position}`);
  const proof = tree.levels.slice(0, -1).map((level, height) => level[(position >> height) ^ 1] as Hex);
  return { leaf, proof };
}
