import { numberToHex, type RpcLog } from 'viem';
import { limits } from '../../core/limits.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { nodeAnswer, type RpcClient } from './rpc-client.ts';

/** Which logs: of these contracts, with these topics (a list stands for any of its members, null for anything). */
export interface LogFilter {
  readonly addresses: readonly Address[];
  readonly topics: readonly (Hex | readonly Hex[] | null)[];
}

/** A log as the node sends it; `blockTimestamp` (seconds, hex) only by newer nodes. */
export type RawLog = RpcLog & { readonly blockTimestamp?: Hex };

/**
 * The logs of a range of blocks, both ends included, in chain order. A range is asked for in pieces of at
 * most `limits.chainLogRangeBlocksMax` blocks, halved as long as the node answers that a piece is too much.
 */
export async function readLogs(client: RpcClient, filter: LogFilter, from: number, to: number): Promise<RawLog[]> {
  const logs: RawLog[] = [];
  for (let start = from; start <= to; start += limits.chainLogRangeBlocksMax) {
    logs.push(...(await readPiece(client, filter, start, Math.min(to, start + limits.chainLogRangeBlocksMax - 1))));
  }
  return logs;
}

/** The logs of a deployment from its first block to the newest one. */
export async function readAllLogs(
  client: RpcClient,
  { fromBlock }: Pick<Deployment, 'fromBlock'>,
  filter: LogFilter,
): Promise<RawLog[]> {
  return readLogs(client, filter, fromBlock, Number(await client.request({ method: 'eth_blockNumber' })));
}

async function readPiece(client: RpcClient, filter: LogFilter, from: number, to: number): Promise<RawLog[]> {
  const query = {
    address: [...filter.addresses],
    topics: filter.topics as (Hex | Hex[] | null)[],
    fromBlock: numberToHex(from),
    toBlock: numberToHex(to),
  };
  try {
    return await client.request({ method: 'eth_getLogs', params: [query] });
  } catch (error) {
    // Only an answer may mean "too much", and only a range of several blocks can be asked for in halves.
    if (from === to || nodeAnswer(error) === undefined) throw error;
    const middle = Math.floor((from + to) / 2);
    return [...(await readPiece(client, filter, from, middle)), ...(await readPiece(client, filter, middle + 1, to))];
  }
}
