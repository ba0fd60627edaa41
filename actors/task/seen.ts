import type { ChainPlace } from '../../src/core/chain-fact.ts';
import type { Hex } from '../../src/core/hash.ts';

/** Where on the chain a fact was seen; the log keeps it so that a reorg can be answered. */
export type SeenAt = { readonly block: number; readonly blockHash: Hex; readonly txHash: Hex };

/** The part of a fact's place that the log keeps. */
export function seenAt({ block, blockHash, txHash }: ChainPlace): SeenAt {
  return { block, blockHash, txHash };
}

/** {@link seenAt} for what the chain says, null for what a node has signed and no transaction of its own says. */
export function seenOrSigned(place: ChainPlace | null): SeenAt | null {
  return place === null ? null : seenAt(place);
}
