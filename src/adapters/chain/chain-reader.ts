import type { Hex } from '../../core/hash.ts';
import type { ChainFact, Deployment, NodeRecord } from '../../ports/chain.ts';
import { connect, requireChain, requireContracts } from './connect.ts';
import { readHeader, withTimes } from './fact-reader.ts';
import { decodeFacts, factFilter } from './facts.ts';
import { readLogs } from './logs.ts';
import { createReads } from './reads.ts';
import { chainError } from './rpc-client.ts';

/** An anchor of the log as the chain has it. */
export type AnchorFact = ChainFact & { readonly type: 'LogAnchored' };

/** How to reach a deployment without an account of ours. */
export interface ChainReaderOptions {
  readonly rpcUrl: string;
  readonly deployment: Deployment;
  /** The hash of the chain's first block where it is known: another chain with the same id is refused. */
  readonly chain?: Hex | undefined;
  /** How long a request is tried again while the node cannot be reached, in milliseconds. Default 5,000. */
  readonly retryMs?: number | undefined;
}

/** A deployment, to be read only: it sends nothing and keeps nothing. */
export interface ChainReader {
  readonly deployment: Deployment;
  /** All registered nodes. @throws PouwError `chain_unreachable`, `chain_refused`. */
  nodes(): Promise<readonly NodeRecord[]>;
  /** All anchors up to the latest block, in order of epoch. @throws PouwError `chain_unreachable`, `chain_refused`. */
  anchors(): Promise<readonly AnchorFact[]>;
}

/**
 * Reaches a deployment for reading.
 *
 * @throws PouwError `chain_unreachable`, `chain_refused`, `wrong_chain`, `contracts_missing`.
 */
export async function openChainReader(options: ChainReaderOptions): Promise<ChainReader> {
  const { rpcUrl, deployment } = options;
  const connection = await connect({ url: rpcUrl, retryMs: options.retryMs ?? 5_000 }, deployment.chainId);
  if (options.chain !== undefined) requireChain(connection, rpcUrl, options.chain);
  await requireContracts(connection, deployment);
  const { client } = connection;
  return {
    deployment,
    nodes: () => createReads(client, deployment).nodes(),
    anchors: async () => {
      try {
        const latest = await readHeader(client, 'latest');
        const filter = { ...factFilter(deployment), addresses: [deployment.anchors] };
        const logs = await readLogs(client, filter, deployment.fromBlock, latest?.number ?? 0);
        const timed = await withTimes(client, logs);
        const facts = decodeFacts(deployment, timed.logs, (hash) => timed.times.get(hash) ?? 0);
        return facts.filter((fact): fact is AnchorFact => fact.type === 'LogAnchored');
      } catch (error) {
        throw chainError(error, 'a question for the anchors');
      }
    },
  };
}
