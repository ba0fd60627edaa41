import { assert } from './assert.ts';
import { type Hex, hexToBytes, keccak256 } from './hash.ts';
import type { Address, TaskId } from './ids.ts';

/** Who may be selected and with what weight (any positive number; only ratios matter). */
export type WeightedNode = { readonly node: Address; readonly weight: number };

const two52 = 2 ** 52;

/** A number in (0, 1) that nobody can choose: 52 bits of `keccak256(beacon ‖ task ‖ node)`. */
export function selectionDraw(beacon: Hex, task: TaskId, node: Address): number {
  const digest = keccak256(hexToBytes(`0x${beacon.slice(2)}${task.slice(2)}${node.slice(2)}`));
  return (Number(BigInt(digest) >> 204n) + 0.5) / two52;
}

/**
 * Weighted rendezvous sampling (Efraimidis and Spirakis 2006): the key of a node is `-ln(u) / weight`, and
 * the smallest keys win. The whole ranking is returned: the first k are selected, the rest stand by as
 * replacements in that order. Equal keys are ordered by address, so that every machine agrees.
 */
export function rankByRendezvous(beacon: Hex, task: TaskId, candidates: readonly WeightedNode[]): Address[] {
  return candidates
    .map(({ node, weight }) => {
      assert(weight > 0 && Number.isFinite(weight), `the weight of ${node} is not positive`);
      return { node, key: -Math.log(selectionDraw(beacon, task, node)) / weight };
    })
    .toSorted((a, b) => a.key - b.key || (a.node < b.node ? -1 : 1))
    .map(({ node }) => node);
}
