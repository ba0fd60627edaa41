import { setTimeout as sleep } from 'node:timers/promises';
import { BaseError, createPublicClient, custom, type PublicClient, RpcRequestError } from 'viem';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { RpcEndpoints, type RpcUrls } from './rpc-endpoints.ts';
import { findCause, isBlockMissing, isOutage } from './rpc-outage.ts';
import type { RpcCall } from './rpc-request.ts';

/** How a client bears an unreachable node. */
export interface RpcClientOptions {
  /** Where it is asked; several clients may share their endpoints, and so what was seen there. */
  readonly url: RpcUrls | RpcEndpoints;
  /** How long a request is tried again while the node cannot be reached, in milliseconds; 0 for once. */
  readonly retryMs: number;
  /** How long one attempt may take, in milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  /** Ends all waiting when aborted. */
  readonly signal?: AbortSignal;
}

/** A viem client whose every request survives outages of up to `retryMs`. */
export type RpcClient = PublicClient;

const firstDelayMs = 25;
const longestDelayMs = 2_000;
/** A node may name a block a moment before it can be asked about it, and others behind one address some time before. */
const missingBlockMs = 2_000;

/**
 * A JSON-RPC client. An unreachable, overloaded or hanging node is tried again with growing delays; an
 * answer, be it an error, is final, but that a block is missing, which is asked again for two seconds. All requests of this adapter may be repeated: reads change nothing and
 * a signed transaction has one nonce.
 *
 * @throws PouwError `chain_unreachable` from any request, possibly wrapped by viem: see {@link chainError}.
 */
export function createRpcClient(options: RpcClientOptions): RpcClient {
  const endpoints = endpointsOf(options.url);
  const timeoutMs = options.timeoutMs ?? 10_000;
  const request = async (call: RpcCall): Promise<unknown> => {
    const begunAt = performance.now();
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      try {
        return await endpoints.request(call, timeoutMs, options.signal);
      } catch (error) {
        const isMissing = isBlockMissing(error);
        if (!isMissing && !isOutage(error)) throw error;
        const patienceMs = isMissing ? Math.min(missingBlockMs, options.retryMs) : options.retryMs;
        if (options.signal?.aborted === true || performance.now() + delayMs > begunAt + patienceMs)
          throw isMissing ? error : unreachableError(endpoints.shown, error);
      }
      await sleep(delayMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
        () => undefined,
      );
    }
  };
  return createPublicClient({ transport: custom({ request }, { retryCount: 0 }) });
}

/** Endpoints as they are, or new ones for addresses. */
export function endpointsOf(url: RpcUrls | RpcEndpoints): RpcEndpoints {
  return url instanceof RpcEndpoints ? url : new RpcEndpoints(url);
}

function unreachableError(url: string, cause: unknown): PouwError {
  return new PouwError('chain_unreachable', `The chain at ${url} cannot be reached.`, {
    class: 'unavailable',
    why: reasonOf(cause),
    hint: 'Check that the node runs and that --rpc names it.',
    cause,
  });
}

/** The shortest true sentence about an error: viem's messages carry the whole request. */
export function reasonOf(error: unknown): string {
  const ours = findCause(error, (cause) => cause instanceof PouwError) as PouwError | undefined;
  if (ours !== undefined) return ours.why ?? ours.message;
  const viem = findCause(error, (cause) => cause instanceof BaseError) as BaseError | undefined;
  const text = viem === undefined ? errorMessage(error) : viem.details || viem.shortMessage;
  return text.split('\n')[0] ?? text;
}

/** What the node itself answered with an error, undefined where none of the causes is such an answer. */
export function nodeAnswer(
  error: unknown,
): { readonly code: number; readonly message: string; readonly data: Hex | undefined } | undefined {
  const answer = findCause(error, (cause) => cause instanceof RpcRequestError) as RpcRequestError | undefined;
  if (answer === undefined) return undefined;
  return { code: answer.code, message: answer.details, data: revertData(answer.data) };
}

/** Nodes put revert data at `error.data` or at `error.data.data`. */
function revertData(data: unknown): Hex | undefined {
  if (typeof data === 'string' && /^0x[0-9a-fA-F]*$/.test(data)) return data as Hex;
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  return undefined;
}

/** Anything a client throws as one of ours: `chain_unreachable` where that is the cause, else `chain_refused`. */
export function chainError(error: unknown, doing: string): PouwError {
  const ours = findCause(error, (cause) => cause instanceof PouwError) as PouwError | undefined;
  if (ours !== undefined) return ours;
  return new PouwError('chain_refused', `The chain refused ${doing}.`, {
    class: 'unavailable',
    why: reasonOf(error),
    hint: 'See what the node says; a wrong chain, an account without gas money or a node that lacks this method are the usual reasons.',
    cause: error,
  });
}

/** What a question is answered with. @throws PouwError what {@link chainError} makes of anything else. */
export async function asked<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw chainError(error, `a question for ${what}`);
  }
}
