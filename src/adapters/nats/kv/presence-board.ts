import { assert } from '../../../core/assert.ts';
import { errorMessage } from '../../../core/errors.ts';
import { type Address, isAddress, type Role, roles } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Subscription } from '../../../ports/event-store.ts';
import type { NodePresence, PresenceBoard } from '../../../ports/presence-board.ts';
import { keyOf, watchPresence } from '../../../ports/presence-watch.ts';
import { Bucket, type BucketEntry, type BucketOptions } from './bucket.ts';

/** How to open the board on NATS. */
export interface NatsPresenceBoardOptions extends BucketOptions {
  readonly clock: Clock;
  /** How long a node is listed, in milliseconds; the same for all. Default `limits.presenceMs`. */
  readonly lastsMs?: number;
  /** Told of a board that cannot be read, and of what handlers throw; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Opens the board of the network: the bucket `node`, from which the servers take by their own clock what was not
 * renewed in time.
 *
 * @throws PouwError `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsPresenceBoard(options: NatsPresenceBoardOptions): Promise<PresenceBoard> {
  const { clock, lastsMs = limits.presenceMs } = options;
  const onError = options.onError ?? ((error: unknown) => process.emitWarning(errorMessage(error)));
  const bucket = await Bucket.open('node', options, lastsMs);
  const watches = new Set<Subscription>();
  const list = async (): Promise<readonly NodePresence[]> => {
    const entries = await bucket.entries();
    const nodes = entries.map(nodeIn).filter((node) => node !== undefined);
    return nodes.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  };
  return {
    announce: async (node) => {
      const text = JSON.stringify(node);
      assert(Buffer.byteLength(text) <= limits.presenceBytesMax, 'what a node says of itself is short');
      await bucket.put(keyOf(node), text);
    },
    withdraw: async (role, address) => {
      const { key, revision, value } = await bucket.get(keyOf({ role, address }));
      if (value !== undefined) await bucket.remove(key, revision);
    },
    list,
    watch: (handler) => {
      const watch = watchPresence({ clock, everyMs: limits.presencePollMs, list, handler, onError });
      watches.add(watch);
      return watch;
    },
    close: async () => {
      await Promise.all([...watches].map((watch) => watch.close()));
      bucket.close();
    },
  };
}

/** What an entry says; undefined where it is nothing a node would say, or not of the node whose key it has. */
function nodeIn({ key, value }: BucketEntry): NodePresence | undefined {
  try {
    const said = JSON.parse(Buffer.from(value ?? []).toString('utf8')) as Partial<Record<string, unknown>>;
    const { role, address, models, version, startedAt, host, pid } = said;
    if (!roles.includes(role as Role) || typeof address !== 'string' || !isAddress(address)) return undefined;
    if (!Array.isArray(models) || models.length > limits.nodeModelsMax) return undefined;
    if (!models.every((model) => typeof model === 'string') || typeof version !== 'string') return undefined;
    if (!Number.isSafeInteger(startedAt) || typeof host !== 'string' || !Number.isSafeInteger(pid)) return undefined;
    const node = { role: role as Role, address: address as Address, models, version, startedAt, host, pid };
    return keyOf(node) === key ? (node as NodePresence) : undefined;
  } catch {
    return undefined;
  }
}
