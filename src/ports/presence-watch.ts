import type { Clock } from './clock.ts';
import type { Subscription } from './event-store.ts';
import type { NodePresence, PresenceChange } from './presence-board.ts';

/** What a watch of a board is made of. */
export interface PresenceWatchOptions {
  readonly clock: Clock;
  /** How often the board is looked at, in milliseconds. */
  readonly everyMs: number;
  readonly list: () => Promise<readonly NodePresence[]>;
  readonly handler: (change: PresenceChange) => void;
  /** Told of a board that cannot be read, and of what the handler throws. */
  readonly onError: (error: unknown) => void;
}

/** Looks at a board again and again and tells what has changed; while it cannot be read, nothing has. */
export function watchPresence(options: PresenceWatchOptions): Subscription {
  const { clock, everyMs, list, handler, onError } = options;
  const known = new Map<string, NodePresence>();
  const stop = new AbortController();

  const tell = (change: PresenceChange): void => {
    if (stop.signal.aborted) return;
    try {
      handler(change);
    } catch (error) {
      onError(error);
    }
  };
  const look = async (): Promise<void> => {
    const nodes = await list();
    const here = new Set(nodes.map(keyOf));
    for (const [key, node] of known) {
      if (here.has(key)) continue;
      known.delete(key);
      tell({ type: 'gone', node });
    }
    for (const node of nodes) {
      if (JSON.stringify(known.get(keyOf(node))) === JSON.stringify(node)) continue;
      known.set(keyOf(node), node);
      tell({ type: 'here', node });
    }
  };
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await look().catch(onError);
      await clock.sleep(everyMs, stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  return {
    close: async () => {
      stop.abort(new Error('the watch is closed'));
      await running;
    },
  };
}

/** What tells nodes apart on a board. */
export function keyOf({ role, address }: Pick<NodePresence, 'role' | 'address'>): string {
  return `${role}.${address}`;
}
