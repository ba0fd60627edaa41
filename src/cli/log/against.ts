import { join } from 'node:path';
import { copyChain, runningChain } from '../../adapters/chain/chain-copy.ts';
import { type ChainReader, openChainReader } from '../../adapters/chain/chain-reader.ts';
import { type DeploymentRecord, readDeploymentRecord } from '../../adapters/chain/deployment-record.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Json } from '../../core/json.ts';
import { anchorOf, type ChainKnowledge, keysOf, type LogSource, withChain } from '../../replay/source.ts';
import type { OpenLog } from './open-log.ts';

/** What a log is checked against. */
export type Against =
  /** A chain that runs: the network's own or the one of `--rpc`. */
  | { readonly kind: 'chain'; readonly rpcUrl: string; readonly chainId: number }
  /** The chain of the data directory as it was saved last. */
  | { readonly kind: 'saved-chain'; readonly chainId: number }
  /** Nothing but what the exported file says itself. */
  | { readonly kind: 'header' };

/** A log with what the chain says about it. */
export interface CheckedLog {
  readonly source: LogSource;
  readonly against: Against;
}

/**
 * Asks the chain about a log: the one of `--rpc`, else the one that runs on its data directory, else a copy of
 * the saved one. An exported file without `--rpc` has only its own word.
 *
 * @throws PouwError `chain_not_named`, `deployment_unknown`, `deployment_unreadable`, `chain_state_missing`, and what reading a chain throws.
 */
export async function askChain(log: OpenLog, rpcUrl: string | undefined): Promise<CheckedLog> {
  const { source, directory } = log;
  if (log.content !== undefined && rpcUrl === undefined) throw chainNotNamed(source.origin);
  if (directory === undefined && rpcUrl === undefined) return { source, against: { kind: 'header' } };
  const record = directory === undefined ? headerRecord(source) : await directoryRecord(directory);
  const inSource = directory === undefined ? await headerContent(source) : openBlockReader(directory).get;
  const content = log.content ?? inSource;
  const { chainId } = record.deployment;
  const read = async (url: string, retryMs?: number): Promise<LogSource> => {
    const reader = await openChainReader({ rpcUrl: url, ...record, retryMs });
    return withChain(source, await knowledgeOf(reader, content));
  };
  if (rpcUrl !== undefined) return { source: await read(rpcUrl), against: { kind: 'chain', rpcUrl, chainId } };
  const folder = chainFolder(directory ?? '');
  const running = await runningChain(folder);
  if (running !== undefined) {
    // The record may be of a process that is gone and whose ids somebody else has now.
    const live = await read(running, 0).catch(unlessNotOurs);
    if (live !== undefined) return { source: live, against: { kind: 'chain', rpcUrl: running, chainId } };
  }
  const copy = await copyChain(folder);
  try {
    return { source: await read(copy.url), against: { kind: 'saved-chain', chainId } };
  } finally {
    await copy.close();
  }
}

function chainNotNamed(origin: string): PouwError {
  return new PouwError('chain_not_named', `The log at ${origin} does not say whose keys its authors have.`, {
    class: 'invalid',
    hint: 'Name the chain with --rpc, its contracts with --deployment, and routers’ data folders with --content.',
    param: 'rpc',
  });
}

type Content = (digest: Hex) => Promise<Json | undefined>;

async function knowledgeOf(reader: ChainReader, content: Content): Promise<ChainKnowledge> {
  const keys = keysOf(await reader.nodes());
  const facts = await reader.anchors();
  const anchors = await Promise.all(
    facts.map(async (fact) => anchorOf(fact, (await content(fact.manifestDigest)) ?? null)),
  );
  return { deployment: reader.deployment, keys, anchors };
}

function chainFolder(directory: string): string {
  return join(directory, 'chain');
}

async function directoryRecord(directory: string): Promise<DeploymentRecord> {
  const record = await readDeploymentRecord(chainFolder(directory));
  if (record !== undefined) return record;
  throw new PouwError('deployment_unknown', `${directory} does not say on which chain its log was anchored.`, {
    class: 'not-found',
    why: 'There is no chain/deployment.json in it.',
    hint: 'Restore the chain folder of the data directory.',
  });
}

function headerRecord({ origin, deployment }: LogSource): Pick<DeploymentRecord, 'deployment'> & { chain?: Hex } {
  if (deployment !== null) return { deployment };
  throw new PouwError('deployment_unknown', `${origin} does not say on which chain its log was anchored.`, {
    class: 'not-found',
    hint: 'Leave --rpc out, or export the log again from its data directory.',
  });
}

/** The manifests in an exported file; their digests on chain tell whether they are the right ones. */
async function headerContent(source: LogSource): Promise<Content> {
  const manifests = new Map((await source.anchors()).map(({ manifestDigest, manifest }) => [manifestDigest, manifest]));
  return async (digest) => manifests.get(digest) ?? undefined;
}

function unlessNotOurs(error: unknown): undefined {
  const codes = ['chain_unreachable', 'chain_refused', 'wrong_chain', 'contracts_missing'];
  if (error instanceof PouwError && codes.includes(error.code)) return undefined;
  throw error;
}
