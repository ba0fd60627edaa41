import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { NodePresence, PresenceBoard } from '../../ports/presence-board.ts';
import { keyOf, watchPresence } from '../../ports/presence-watch.ts';
import { reportError } from './report-error.ts';

/** What a {@link createLocalPresenceBoard} is made of. */
export interface LocalPresenceBoardOptions {
  readonly clock: Clock;
  /** Default `limits.presenceMs`. */
  readonly lastsMs?: number;
  /** Told what handlers throw; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** A board for the nodes of one process. */
export function createLocalPresenceBoard(options: LocalPresenceBoardOptions): PresenceBoard {
  const { clock, lastsMs = limits.presenceMs, onError = reportError } = options;
  const board = new Map<string, { readonly node: NodePresence; readonly untilMs: number }>();
  const watches = new Set<Subscription>();
  const list = async (): Promise<readonly NodePresence[]> => {
    for (const [key, { untilMs }] of board) if (untilMs <= clock.now()) board.delete(key);
    return [...board].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { node }]) => structuredClone(node));
  };
  return {
    announce: async (node) => {
      board.set(keyOf(node), { node: structuredClone(node), untilMs: clock.now() + lastsMs });
    },
    withdraw: async (role, address) => void board.delete(keyOf({ role, address })),
    list,
    watch: (handler) => {
      const watch = watchPresence({ clock, everyMs: limits.presencePollMs, list, handler, onError });
      watches.add(watch);
      return watch;
    },
    close: async () => void (await Promise.all([...watches].map((watch) => watch.close()))),
  };
}
