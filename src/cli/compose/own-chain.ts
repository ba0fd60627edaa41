import { existsSync } from 'node:fs';
import type { AnvilProcess } from '../../adapters/chain/anvil-process.ts';
import { anvilStateFile } from '../../adapters/chain/anvil-spawn.ts';
import { hasBlock } from '../../adapters/chain/anvil-rpc.ts';
import type { ChainStore } from '../../adapters/chain/chain-store.ts';
import { connect, requireChain } from '../../adapters/chain/connect.ts';
import { type DeploymentRecord, readDeploymentRecord } from '../../adapters/chain/deployment-record.ts';
import type { RpcUrls } from '../../adapters/chain/rpc-endpoints.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';

/** How long a node may be unreachable at the start, in milliseconds. */
export const reachWithinMs = 10_000;

/**
 * What a chain folder says of the chain that its data directory began on; undefined for a new one. Nothing is started
 * before that is known: a new anvil in the folder would be a second chain beside the one that the log is of.
 *
 * @throws PouwError `deployment_unknown` where there is a log and no record, `chain_state_missing` where our own chain is
 *   wanted and the folder has none, `deployment_unreadable`.
 */
export async function recordOf(
  folder: string,
  { rpcUrl, isLogEmpty }: { readonly rpcUrl: RpcUrls | undefined; readonly isLogEmpty: boolean },
): Promise<DeploymentRecord | undefined> {
  const record = await readDeploymentRecord(folder);
  if (record === undefined) {
    if (isLogEmpty) return undefined;
    throw new PouwError('deployment_unknown', `${folder} does not say which chain the log is of.`, {
      class: 'corrupt',
      why: 'There is a log, but no deployment.json: its sessions are nothing on a chain of another deployment.',
      hint: 'Restore the chain folder from a copy, or use another --data directory.',
    });
  }
  if (rpcUrl === undefined && !existsSync(anvilStateFile(folder))) throw stateMissing(folder);
  return record;
}

/**
 * Sessions of one chain are nothing on another: a data directory stays with the chain it began on. Its id does not tell
 * that chain, for every new anvil has the same one; its first block does.
 *
 * @throws PouwError `wrong_chain`, `chain_unreachable`, `chain_refused`.
 */
export async function requireOwnChain(
  { chain, deployment }: DeploymentRecord,
  rpcUrl: RpcUrls,
  signal: AbortSignal,
): Promise<void> {
  requireChain(await connect({ url: rpcUrl, retryMs: reachWithinMs, signal }, deployment.chainId), chain);
}

/**
 * A chain of our own has every block that anybody was ever told of, whatever was killed: the journal beside it remembers
 * the newest of those with facts. Blocks that are known to be lost are missing until the nodes have taken their reorg.
 *
 * @returns whether it has them all.
 * @throws PouwError `chain_parts_mixed`.
 */
export async function requireToldBlocks(
  { url, lostFrom }: Pick<AnvilProcess, 'url' | 'lostFrom'>,
  chain: Hex,
  { recentFacts }: ChainStore,
): Promise<boolean> {
  const newest = recentFacts.blocks(chain).at(-1);
  if (newest === undefined || (await hasBlock(url, newest))) return true;
  if (lostFrom !== undefined && newest.number >= lostFrom) return false;
  throw new PouwError('chain_parts_mixed', 'The local chain is older than the journal beside it.', {
    class: 'corrupt',
    why: `Block ${newest.number} was told, and the chain does not have it.`,
    hint: 'Restore the whole data directory from one copy, or use another --data directory.',
    details: { block: newest.number },
  });
}

function stateMissing(folder: string): PouwError {
  return new PouwError('chain_state_missing', `${folder} has no chain of ours.`, {
    class: 'unavailable',
    why: 'The data directory began on a chain that --rpc named, or the state of its own chain is gone.',
    hint: 'Name that chain with --rpc, restore the chain folder from a copy, or use another --data directory.',
  });
}
