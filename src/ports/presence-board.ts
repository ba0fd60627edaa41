import type { Address, Role } from '../core/ids.ts';
import type { Subscription } from './event-store.ts';

/** What a node says of itself while it is there. It proves nothing: rights come from the registry. */
export interface NodePresence {
  readonly role: Role;
  readonly address: Address;
  /** The models it serves; none for most roles. */
  readonly models: readonly string[];
  /** The version of pouw it runs. */
  readonly version: string;
  /** When it began, in milliseconds since 1970 on its own clock. */
  readonly startedAt: number;
  /** The machine and the process, for who looks after it. */
  readonly host: string;
  readonly pid: number;
}

/** What changes on the board. */
export type PresenceChange =
  /** A node has come, or says something else of itself. */
  | { readonly type: 'here'; readonly node: NodePresence }
  /** A node has left, or has not been heard of for too long. */
  | { readonly type: 'gone'; readonly node: NodePresence };

/**
 * Who is there: every node puts itself on the board and says so again from time to time; whoever does not is taken
 * off. `test/features/presence-board.features.ts` is its contract.
 */
export interface PresenceBoard {
  /** Puts a node on the board, or keeps it there, for `limits.presenceMs` from now. */
  announce(node: NodePresence): Promise<void>;
  /** Takes a node off at once. */
  withdraw(role: Role, address: Address): Promise<void>;
  /** Who is there, in order of role and address. */
  list(): Promise<readonly NodePresence[]>;
  /** Tells of everyone who is there, and then of every change, at the latest `limits.presencePollMs` after it is seen. */
  watch(handler: (change: PresenceChange) => void): Subscription;
  close(): Promise<void>;
}
