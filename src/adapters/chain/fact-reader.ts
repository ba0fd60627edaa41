import { numberToHex, type RpcBlock } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { BlockRef } from './block-window.ts';
import { decodeFacts, factFilter } from './facts.ts';
import { type RawLog, readLogs } from './logs.ts';
import type { FactBlock } from './recent-facts.ts';
import type { RpcClient } from './rpc-client.ts';

/** A block's header as far as it matters here. */
export interface Header {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The header of a block, undefined where the chain has none of this number. */
export async function readHeader(client: RpcClient, block: number | 'latest'): Promise<Header | undefined> {
  const tag = block === 'latest' ? block : numberToHex(block);
  const answer = await client.request({ method: 'eth_getBlockByNumber', params: [tag, false] });
  return answer === null ? undefined : toHeader(answer);
}

/** Whether a block is the chain's own of its number; the one before the first counts as the first. */
export async function isOnChain(client: RpcClient, { number, hash }: BlockRef): Promise<boolean> {
  return (await readHeader(client, Math.max(0, number)))?.hash === hash;
}

function toHeader(block: RpcBlock): Header | undefined {
  if (block.number === null || block.hash === null) return undefined;
  const { number, hash, parentHash, timestamp } = block;
  return { number: Number(number), hash, parentHash, at: Number(timestamp) * 1_000 };
}

/** The blocks with facts in a range, both ends included. */
export async function readFactBlocks(
  client: RpcClient,
  deployment: Deployment,
  from: number,
  to: number,
): Promise<FactBlock[]> {
  return groupByBlock(deployment, await withTimes(client, await readLogs(client, factFilter(deployment), from, to)));
}

/** The logs with the time of each block, which older nodes do not send along. */
export interface TimedLogs {
  readonly logs: readonly RawLog[];
  readonly times: ReadonlyMap<Hex, number>;
}

/** Looks up the block times that the node has not sent along. */
export async function withTimes(client: RpcClient, logs: readonly RawLog[]): Promise<TimedLogs> {
  const times = new Map<Hex, number>();
  for (const log of logs) {
    if (log.blockHash === null || log.blockNumber === null || times.has(log.blockHash)) continue;
    const sent = log.blockTimestamp;
    // By number: a reorg in between makes the reader throw all of this away.
    const at =
      sent === undefined || sent === null
        ? (await readHeader(client, Number(log.blockNumber)))?.at
        : Number(sent) * 1_000;
    times.set(log.blockHash, at ?? 0);
  }
  return { logs, times };
}

function groupByBlock(deployment: Deployment, { logs, times }: TimedLogs): FactBlock[] {
  const blocks: { number: number; hash: Hex; facts: FactBlock['facts'][number][] }[] = [];
  for (const fact of decodeFacts(deployment, logs, (hash) => times.get(hash) ?? 0)) {
    const last = blocks.at(-1);
    if (last?.hash === fact.place.blockHash) last.facts.push(fact);
    else blocks.push({ number: fact.place.block, hash: fact.place.blockHash, facts: [fact] });
  }
  return blocks;
}
