import type { Hex } from './hash.ts';
import type { Address } from './ids.ts';
import { oneCor, timesWei, type Wei } from './wei.ts';
import { standardLeaf, standardTree, type StandardTree } from './standard-tree.ts';
import { type TypedDataDomain, typedDataDigest } from './typed-data.ts';

/** What a checkpoint of reputation says about one node: a leaf of its tree. */
export type Standing = {
  readonly node: Address;
  /** 0 to 10. */
  readonly level: number;
  /** The public score in ten-thousandths. */
  readonly scoreBps: number;
  readonly honest: number;
  readonly outlier: number;
  readonly timedOut: number;
  /** Idle work in the checkpoint's epoch, in credits. */
  readonly idleWork: number;
};

/** What the oracles sign; the members and their order are the contract's (`contracts/src/types/Reputation.sol`). */
export interface Checkpoint {
  readonly epoch: number;
  readonly skipped: number;
  readonly fromPosition: number;
  readonly toPosition: number;
  readonly anchorEpoch: number;
  readonly idleWork: number;
  readonly nodes: number;
  readonly revision: number;
  readonly root: Hex;
  readonly manifestDigest: Hex;
}

/** What the oracles sign to decide a dispute; it names one posting of one checkpoint. */
export interface Ruling {
  readonly epoch: number;
  readonly root: Hex;
  readonly revision: number;
  /** Whether the checkpoint is true. */
  readonly stands: boolean;
}

/** What a dispute has to put down; the contract holds to it. */
export const disputeBondWei: Wei = timesWei(oneCor, 100);
/** What of it is lost where nobody decides in time. */
export const disputeFeeWei: Wei = timesWei(oneCor, 10);

const rulingType = 'Ruling(uint64 epoch,bytes32 root,uint32 revision,bool stands)';

const checkpointType =
  'Checkpoint(uint64 epoch,uint64 skipped,uint64 fromPosition,uint64 toPosition,uint64 anchorEpoch,uint64 idleWork,uint32 nodes,uint32 revision,bytes32 root,bytes32 manifestDigest)';

/** The hash of a node's leaf. */
export function standingLeaf(standing: Standing): Hex {
  const { node, level, scoreBps, honest, outlier, timedOut, idleWork } = standing;
  return standardLeaf([node, level, scoreBps, honest, outlier, timedOut, idleWork]);
}

/** The tree over the standings of all nodes; asserts that there is one at least. */
export function standingsTree(standings: readonly Standing[]): StandardTree {
  return standardTree(standings.map(standingLeaf));
}

/** The digest an oracle signs for a checkpoint on the reputation contract of a chain (EIP-712). */
export function checkpointDigest(chainId: number, contract: Address, checkpoint: Checkpoint): Hex {
  const { epoch, skipped, fromPosition, toPosition, anchorEpoch, idleWork, nodes, revision } = checkpoint;
  const counts = [epoch, skipped, fromPosition, toPosition, anchorEpoch, idleWork, nodes, revision];
  const members = [...counts, checkpoint.root, checkpoint.manifestDigest];
  return typedDataDigest(domain(chainId, contract), checkpointType, members);
}

/** The digest an oracle signs to rule on a disputed checkpoint (EIP-712). */
export function rulingDigest(chainId: number, contract: Address, { epoch, root, revision, stands }: Ruling): Hex {
  return typedDataDigest(domain(chainId, contract), rulingType, [epoch, root, revision, stands ? 1 : 0]);
}

function domain(chainId: number, contract: Address): TypedDataDomain {
  return { name: 'pouw Reputation', version: '1', chainId, contract };
}
