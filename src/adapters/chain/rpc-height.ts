import { HttpRequestError } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { RpcCall } from './rpc-request.ts';

/** Questions about what is now, whose answers do not say of which block they are. */
const ofLatest: ReadonlyMap<string, number> = new Map([
  // By the place of the block among the parameters.
  ['eth_call', 1],
  ['eth_getBalance', 1],
  ['eth_getTransactionCount', 1],
  ['eth_getCode', 1],
]);

/** A block that whoever got an answer has seen; its hash where the answer has it. */
export interface SeenBlock {
  readonly number: number;
  readonly hash: Hex | undefined;
}

const nothing: SeenBlock = { number: 0, hash: undefined };

/**
 * What an answer shows of the chain: no later one may be of an older block. `'latest'` where the answer is of the node's
 * newest block and does not say which that is.
 */
export function seenIn({ method, params }: RpcCall, result: unknown): SeenBlock | 'latest' {
  switch (method) {
    case 'eth_blockNumber':
      return { number: Number(result), hash: undefined };
    case 'eth_getBlockByNumber':
      return { number: numberIn(result, 'number'), hash: textIn(result, 'hash') };
    case 'eth_getTransactionReceipt':
    case 'eth_sendRawTransactionSync':
      return { number: numberIn(result, 'blockNumber'), hash: textIn(result, 'blockHash') };
  }
  const place = ofLatest.get(method);
  if (place === undefined) return nothing;
  const block: unknown = Array.isArray(params) ? params[place] : undefined;
  return block === undefined || block === 'latest' ? 'latest' : nothing;
}

function textIn(result: unknown, name: string): Hex | undefined {
  const value = typeof result === 'object' && result !== null ? (result as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? (value as Hex) : undefined;
}

function numberIn(result: unknown, name: string): number {
  return Number(textIn(result, name) ?? 0);
}

/** An outage for whoever asks: none of several endpoints may be used now. */
export function noneUsable(call: RpcCall, reasons: string): HttpRequestError {
  return new HttpRequestError({ url: 'all endpoints', body: { method: call.method }, details: reasons });
}
