import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, Role, TaskId } from '../../src/core/ids.ts';
import type { MaxWeights } from '../../src/core/selection.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { Access } from './access.ts';
import type { Batches } from './batches.ts';
import type { Reputation } from './reputation.ts';

/** The states of a router. */
export const routerStates = ['offline', 'serving', 'draining'] as const;

/** A registered node as a router knows it. */
export type KnownNode = {
  readonly roles: readonly Role[];
  /** By the registry. */
  readonly active: boolean;
  readonly stakeWei: Wei;
  /** The newest change of its stake counted, so that a repeated fact is not: block and place in it. */
  readonly stakeMovedAt: readonly [block: number, logIndex: number];
  /** 0 to 10, by the registry. */
  readonly level: number;
  /** The models it serves by the registry, sorted. */
  readonly served: readonly string[];
  /** Kept from new work by the registry until this time, milliseconds since 1970; 0 where it never was. */
  readonly restUntil: number;
  /** Whether it is heard of. */
  readonly online: boolean;
  /** The models it says it serves now, sorted. */
  readonly models: readonly string[];
  /** Unfinished tasks it works on, of any router. */
  readonly load: number;
  /** Failures since it last did well. */
  readonly failures: number;
  /** Not chosen before this time, milliseconds since 1970. */
  readonly coolDownUntil: number;
  readonly reputation: Reputation;
};

/** An anchor of the log. */
export type LogAnchor = { readonly root: Hex; readonly manifest: Cid; readonly commits: number };

/** Everything a router remembers: its book about the network. What it does for a task is in the session's stream. */
export type RouterContext = {
  readonly router: Address | null;
  readonly nodes: { readonly [node: Address]: KnownNode };
  /** The highest weight of each level, by the parameters; null before they were seen. */
  readonly maxWeights: MaxWeights | null;
  /** The miners of unfinished tasks. */
  readonly assignments: { readonly [task: TaskId]: readonly Address[] };
  /** Tasks whose outcome is counted, oldest first (`limits.routerOutcomesKept`). */
  readonly outcomes: readonly TaskId[];
  /** Proposed and not yet on chain. */
  readonly pendingAnchor: LogAnchor | null;
  /** The newest anchor on chain, of any router. */
  readonly lastAnchor: (LogAnchor & { readonly epoch: number; readonly by: Address }) | null;
  /** Whom it serves; left out while that is everybody by default. */
  readonly access?: Access;
  /** Left out before its first batch. */
  readonly batches?: Batches;
};

/** The context of a router before its first event. */
export const emptyRouter: RouterContext = {
  router: null,
  nodes: {},
  maxWeights: null,
  assignments: {},
  outcomes: [],
  pendingAnchor: null,
  lastAnchor: null,
};
