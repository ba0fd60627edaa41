import type { RpcTransaction } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { BlockRef } from './block-window.ts';
import { rpcRequest } from './rpc-request.ts';

const timeoutMs = 5_000;

/** A block as anvil has it. */
export interface AnvilBlock extends BlockRef {
  readonly parentHash: Hex;
  /** Block time in seconds, as anvil writes it. */
  readonly timestamp: Hex;
  readonly baseFeePerGas: Hex;
  /** In their order. */
  readonly transactions: readonly RpcTransaction[];
}

/** One small request to an anvil of ours, once. @throws what {@link rpcRequest} throws. */
export function anvilRequest(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  return rpcRequest({ url: new URL(url), timeoutMs }, { method, params });
}

/** A block; undefined where there is none of this number. */
export async function anvilBlock(url: string, block: number | 'latest'): Promise<AnvilBlock | undefined> {
  const tag = block === 'latest' ? block : `0x${block.toString(16)}`;
  const answer = await anvilRequest(url, 'eth_getBlockByNumber', [tag, true]);
  if (answer === null) return undefined;
  const { number, ...rest } = answer as Omit<AnvilBlock, 'number'> & { readonly number: Hex };
  return { ...rest, number: Number(number) };
}

/** Whether a block is the one of its number. */
export async function hasBlock(url: string, { number, hash }: BlockRef): Promise<boolean> {
  return (await anvilBlock(url, number))?.hash === hash;
}

/** The newest block. @throws Error where there is none, which no anvil is without. */
export async function newestBlock(url: string): Promise<AnvilBlock> {
  const newest = await anvilBlock(url, 'latest');
  if (newest === undefined) throw new Error('anvil has no block');
  return newest;
}
