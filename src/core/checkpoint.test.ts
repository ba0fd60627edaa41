import { expect, test } from 'vitest';
import { hashTypedData } from 'viem';
import {
  type Checkpoint,
  checkpointDigest,
  type Ruling,
  rulingDigest,
  type Standing,
  standingLeaf,
  standingsTree,
} from './checkpoint.ts';
import { toAddress } from './ids.ts';
import { verifyMerkleProof } from './merkle.ts';

const standing: Standing = {
  node: toAddress(`0x${'ab'.repeat(20)}`),
  level: 4,
  scoreBps: 8_571,
  honest: 12,
  outlier: 1,
  timedOut: 2,
  idleWork: 40,
};

const checkpoint: Checkpoint = {
  epoch: 7,
  skipped: 2,
  fromPosition: 101,
  toPosition: 180,
  anchorEpoch: 9,
  idleWork: 40,
  nodes: 1,
  revision: 1,
  root: `0x${'11'.repeat(32)}`,
  manifestDigest: `0x${'22'.repeat(32)}`,
};

const contract = toAddress(`0x${'cd'.repeat(20)}`);
const uint64s = ['epoch', 'skipped', 'fromPosition', 'toPosition', 'anchorEpoch', 'idleWork'] as const;

test('the digest of a checkpoint is that of EIP-712', () => {
  const members = { ...checkpoint, ...Object.fromEntries(uint64s.map((name) => [name, BigInt(checkpoint[name])])) };
  const digest = hashTypedData({
    domain: { name: 'pouw Reputation', version: '1', chainId: 31_337, verifyingContract: contract },
    types: {
      Checkpoint: [
        ...uint64s.map((name) => ({ name, type: 'uint64' as const })),
        { name: 'nodes', type: 'uint32' },
        { name: 'revision', type: 'uint32' },
        { name: 'root', type: 'bytes32' },
        { name: 'manifestDigest', type: 'bytes32' },
      ],
    },
    primaryType: 'Checkpoint',
    message: members as never,
  });
  expect(checkpointDigest(31_337, contract, checkpoint)).toBe(digest);
});

test('a digest binds chain, contract and every member', () => {
  const digests = new Set([checkpointDigest(31_337, contract, checkpoint), checkpointDigest(1, contract, checkpoint)]);
  digests.add(checkpointDigest(31_337, standing.node, checkpoint));
  for (const [name, value] of Object.entries(checkpoint)) {
    const other: unknown = typeof value === 'number' ? value + 1 : `0x${'33'.repeat(32)}`;
    digests.add(checkpointDigest(31_337, contract, { ...checkpoint, [name]: other }));
  }
  expect(digests.size).toBe(3 + Object.keys(checkpoint).length);
});

test('the digest of a ruling is that of EIP-712, and binds chain, contract and every member', () => {
  const ruling: Ruling = { epoch: 7, root: checkpoint.root, revision: 1, stands: false };
  const [chainId, verifyingContract] = [31_337, contract];
  const digest = hashTypedData({
    domain: { name: 'pouw Reputation', version: '1', chainId, verifyingContract },
    types: {
      Ruling: [
        { name: 'epoch', type: 'uint64' },
        { name: 'root', type: 'bytes32' },
        { name: 'revision', type: 'uint32' },
        { name: 'stands', type: 'bool' },
      ],
    },
    primaryType: 'Ruling',
    message: { ...ruling, epoch: 7n },
  });
  expect(rulingDigest(31_337, contract, ruling)).toBe(digest);
  const others = [{ epoch: 8 }, { root: checkpoint.manifestDigest }, { revision: 2 }, { stands: true }];
  const digests = others.map((change) => rulingDigest(31_337, contract, { ...ruling, ...change }));
  digests.push(rulingDigest(1, contract, ruling), rulingDigest(31_337, standing.node, ruling));
  expect(new Set([...digests, digest]).size).toBe(7);
});

test('a leaf binds every member, and the tree proves it', () => {
  const leaves = new Set([standingLeaf(standing)]);
  for (const [name, value] of Object.entries(standing)) {
    const other: unknown = typeof value === 'number' ? value + 1 : contract;
    leaves.add(standingLeaf({ ...standing, [name]: other }));
  }
  expect(leaves.size).toBe(8);
  const tree = standingsTree([standing, { ...standing, node: contract }]);
  expect(verifyMerkleProof(tree.root, standingLeaf(standing), tree.proof(standingLeaf(standing)))).toBe(true);
});
