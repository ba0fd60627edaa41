import { abiEncode, leafKinds, type OutcomeLeaf } from '../../src/core/batch/leaves.ts';
import { leafValues, placed } from '../../src/core/batch/tree.ts';
import { verdictDigest } from '../../src/core/batch/verdict.ts';
import { bytesToHex, type Hex, hexToBytes, keccak256 } from '../../src/core/hash.ts';
import { accountOf, sampleBatch, samplePlace, samplePoster, sampleTasks } from './batch-sample.ts';

const demands = accountOf(901);

/** Batches made in TypeScript for `contracts/test/fuzz/BatchVectors.t.sol`, which makes the same of their leaves. */
export function batchVectors() {
  const first = sampleBatch(1, sampleTasks(5, 1));
  const second = sampleBatch(2, sampleTasks(7, 2, 2), first.line);
  const vectors = [first.data, second.data].map((data) => {
    const tree = (kind: (typeof leafKinds)[number]) => ({
      root: data[kind].root,
      leaves: data[kind].leaves.map((leaf) => bytesToHex(abiEncode(leafValues(kind, leaf as never)))),
      hashes: data[kind].hashes,
      // Over all proofs laid end to end.
      proofsHash: hashAll(data[kind].leaves.flatMap((_, position) => placed<unknown>(data[kind], position).proof)),
    });
    const verdicts = data.precommit.leaves.slice(0, data.header.tasks).map((task, position) => {
      const outcome = data.outcome.leaves[position] as OutcomeLeaf;
      return verdictDigest({ ...samplePlace, contract: demands }, samplePoster, task, outcome);
    });
    const { poster, rates, tasks, payments } = data.header;
    const trees = Object.fromEntries(leafKinds.map((kind) => [kind, tree(kind)]));
    return { poster, treasury: rates.treasury, tasks, payments, trees, verdicts };
  });
  return {
    about: 'Batches made by src/core/batch. contracts/test/fuzz/BatchVectors.t.sol is held to them.',
    chainId: samplePlace.chainId,
    batches: samplePlace.contract,
    demands,
    vectors,
  };
}

function hashAll(words: readonly Hex[]): Hex {
  return keccak256(hexToBytes(`0x${words.map((word) => word.slice(2)).join('')}`));
}
