import type { Hex } from '../../core/hash.ts';
import type { ChainFact, Deployment, NodeRecord } from '../../ports/chain.ts';
import { anchorsAbi, sessionsAbi } from './abi.ts';
import { connect, requireChain, requireContracts } from './connect.ts';
import { withTimes } from './fact-reader.ts';
import { decodeFacts, factFilter } from './facts.ts';
import { readAllLogs } from './logs.ts';
import { type ChainReads, createReads } from './reads.ts';
import { asked, type RpcClient } from './rpc-client.ts';
import type { RpcUrls } from './rpc-endpoints.ts';

/** An anchor of the log as the chain has it. */
export type AnchorFact = ChainFact & { readonly type: 'LogAnchored' };

/** How to reach a deployment without an account of ours. */
export interface ChainReaderOptions {
  readonly rpcUrl: RpcUrls;
  readonly deployment: Deployment;
  /** The hash of the chain's first block where it is known: another chain with the same id is refused. */
  readonly chain?: Hex | undefined;
  /** How long a request is tried again while the node cannot be reached, in milliseconds. Default 5,000. */
  readonly retryMs?: number | undefined;
}

/** A deployment, to be read only: it sends nothing and keeps nothing. */
export interface ChainReader extends Pick<ChainReads, 'block' | 'openings'> {
  readonly deployment: Deployment;
  /** All registered nodes. @throws PouwError `chain_unreachable`, `chain_refused`. */
  nodes(): Promise<readonly NodeRecord[]>;
  /** All anchors up to the latest block, in order of epoch. @throws PouwError `chain_unreachable`, `chain_refused`. */
  anchors(): Promise<readonly AnchorFact[]>;
  /** How far the contracts have come, at the latest block. @throws PouwError `chain_unreachable`, `chain_refused`. */
  progress(): Promise<ContractProgress>;
}

/** How far a deployment's contracts have come: two questions, however long its history is. */
export interface ContractProgress {
  /** Sessions ever opened. */
  readonly sessions: number;
  /** The digest of the newest anchor's manifest; undefined before the first anchor. */
  readonly manifestDigest: Hex | undefined;
}

/**
 * Reaches a deployment for reading.
 *
 * @throws PouwError `chain_unreachable`, `chain_refused`, `wrong_chain`, `contracts_missing`.
 */
export async function openChainReader(options: ChainReaderOptions): Promise<ChainReader> {
  const { rpcUrl, deployment } = options;
  const connection = await connect({ url: rpcUrl, retryMs: options.retryMs ?? 5_000 }, deployment.chainId);
  if (options.chain !== undefined) requireChain(connection, options.chain);
  await requireContracts(connection, deployment);
  const { client } = connection;
  const reads = createReads(client, deployment);
  return {
    deployment,
    nodes: () => reads.nodes(),
    block: (number) => reads.block(number),
    openings: (of) => reads.openings(of),
    progress: () => asked('its sessions and anchors', () => readProgress(client, deployment)),
    anchors: () =>
      asked('the anchors', async () => {
        const filter = { ...factFilter(deployment), addresses: [deployment.anchors] };
        const timed = await withTimes(client, await readAllLogs(client, deployment, filter));
        const facts = decodeFacts(deployment, timed.logs, (hash) => timed.times.get(hash) ?? 0);
        return facts.filter((fact): fact is AnchorFact => fact.type === 'LogAnchored');
      }),
  };
}

async function readProgress(client: RpcClient, { sessions, anchors }: Deployment): Promise<ContractProgress> {
  const count = await client.readContract({ address: sessions, abi: sessionsAbi, functionName: 'sessionCount' });
  const of = { address: anchors, abi: anchorsAbi } as const;
  const epoch = await client.readContract({ ...of, functionName: 'epochCount' });
  if (epoch === 0n) return { sessions: Number(count), manifestDigest: undefined };
  const { manifestDigest } = await client.readContract({ ...of, functionName: 'anchorAt', args: [epoch] });
  return { sessions: Number(count), manifestDigest };
}
