import { HttpRequestError, RpcRequestError, TimeoutError } from 'viem';

/** Statuses that speak of the way to the node rather than of the request. */
const outageStatuses = new Set([408, 429, 500, 502, 503, 504]);

/** Whether an error means that a node cannot be reached, is overloaded or hangs; what it answers itself is none. */
export function isOutage(error: unknown): boolean {
  const refusal = findCause(error, (cause) => cause instanceof HttpRequestError) as HttpRequestError | undefined;
  if (refusal !== undefined) return refusal.status === undefined || outageStatuses.has(refusal.status);
  if (findCause(error, (cause) => cause instanceof RpcRequestError) !== undefined) return false;
  return (
    isTimeout(error) || findCause(error, (cause) => cause instanceof Error && cause.name === 'AbortError') !== undefined
  );
}

/** Whether an error means that an answer did not come in time. */
export function isTimeout(error: unknown): boolean {
  return findCause(error, (cause) => cause instanceof TimeoutError) !== undefined;
}

/** How nodes say that they do not have a block that was asked for: anvil, geth, Erigon, Nethermind, and EIP-1474. */
const blockMissing = /BlockOutOfRange|header not found|block not found|unknown block|resource not found/i;

/** Whether a node answered that it has no block of that number. */
export function isBlockMissing(error: unknown): boolean {
  const answer = findCause(error, (cause) => cause instanceof RpcRequestError) as RpcRequestError | undefined;
  return answer !== undefined && blockMissing.test(answer.details);
}

/** The first of an error and its causes that satisfies `test`. */
export function findCause(error: unknown, test: (cause: unknown) => boolean): unknown {
  for (
    let cause = error;
    cause !== undefined && cause !== null;
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    if (test(cause)) return cause;
  }
  return undefined;
}
