import { assert, present } from './assert.ts';
import { type Hex, hexToBytes, keccak256 } from './hash.ts';
import type { Address, TaskId } from './ids.ts';
import { lnWad, wad } from './ln-wad.ts';
import { limits } from './limits.ts';

/** Who may be selected and with what weight: a whole number of millionths, up to `limits.selectionWeightMax`. */
export type WeightedNode = { readonly node: Address; readonly weight: number };

/** The highest weight of each level, 0 to 10, in thousandths, never falling: `maxWeights` of the parameters on chain. */
export type MaxWeights = readonly number[];

/** A weight in millionths, or the highest that its node's level may have; the registry refuses more (`WeightBeyondLevel`). */
export function boundedWeight(weight: number, level: number, maxWeights: MaxWeights): number {
  return Math.min(weight, present(maxWeights[level], `the highest weight of level ${level}`) * ppmPerThousandth);
}

const ppmPerThousandth = 1_000;

/** A number from 1 to 1e18 that nobody can choose: `keccak256(beacon ‖ task ‖ node)`, folded. */
export function selectionDraw(beacon: Hex, task: TaskId, node: Address): bigint {
  const digest = keccak256(hexToBytes(`0x${beacon.slice(2)}${task.slice(2)}${node.slice(2)}`));
  return (BigInt(digest) % wad) + 1n;
}

/** `-ln(u) / weight` in fixed point, as `contracts/src/libraries/Selection.sol` computes it. */
export function selectionKey(beacon: Hex, task: TaskId, { node, weight }: WeightedNode): bigint {
  assert(
    Number.isInteger(weight) && weight > 0 && weight <= limits.selectionWeightMax,
    `the weight of ${node} is not a whole number of millionths`,
  );
  return (-lnWad(selectionDraw(beacon, task, node)) << 96n) / BigInt(weight);
}

/**
 * Weighted rendezvous sampling (Efraimidis and Spirakis 2006): the key of a node is `-ln(u) / weight`, and
 * the smallest keys win. The whole ranking is returned: the first k are selected, the rest stand by as
 * replacements in that order. Equal keys are ordered by address. The contract draws the same, bit for bit
 * (`contracts/test/vectors/selection.json`).
 */
export function rankByRendezvous(beacon: Hex, task: TaskId, candidates: readonly WeightedNode[]): Address[] {
  return candidates
    .map((candidate) => ({ node: candidate.node, key: selectionKey(beacon, task, candidate) }))
    .toSorted((a, b) => (a.key === b.key ? (a.node < b.node ? -1 : 1) : a.key < b.key ? -1 : 1))
    .map(({ node }) => node);
}

/** Those of the candidates that can be told to the contract, in order of address: all, or the first of a longer draw. */
export function boundedCandidates(beacon: Hex, task: TaskId, candidates: readonly WeightedNode[]): WeightedNode[] {
  const sorted = candidates.toSorted((a, b) => (a.node < b.node ? -1 : 1));
  if (sorted.length <= limits.candidatesMax) return sorted;
  const first = new Set(rankByRendezvous(beacon, task, sorted).slice(0, limits.candidatesMax));
  return sorted.filter(({ node }) => first.has(node));
}
