import type { RegisteredKey } from '../core/author-rules.ts';
import { type Address, parseStreamId, type StreamId } from '../core/ids.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';

/** Something in the log that does not count. */
export interface RefusedInLog {
  readonly position: number;
  readonly code: string;
  readonly stream: StreamId | undefined;
}

/**
 * Counts what others have put into the log that does not count, and says it once for each node and reason. The server
 * lets only a node itself write into its own stream, so there its name is known; into a session every router can write.
 */
export function countRefused(
  { metrics, log }: { readonly metrics: Metrics; readonly log: Pick<Log, 'warn'> },
  registry: { get(address: Address): RegisteredKey | undefined },
): (refused: RefusedInLog) => void {
  const told = new Set<string>();
  return ({ position, code, stream }) => {
    const node = senderOf(stream, registry);
    metrics.add('pouw_log_refused_total', { node, code });
    if (told.has(`${node} ${code}`)) return;
    // As many as there are registered nodes times reasons, at most.
    told.add(`${node} ${code}`);
    log.warn('passed over in the log', { code: 'log_refused', reason: code, node, stream: stream ?? null, position });
  };
}

function senderOf(
  stream: StreamId | undefined,
  registry: { get(address: Address): RegisteredKey | undefined },
): string {
  if (stream === undefined) return 'unknown';
  const { kind, key } = parseStreamId(stream);
  if (kind === 'session') return 'session';
  return registry.get(key as Address) === undefined ? 'unregistered' : key;
}
