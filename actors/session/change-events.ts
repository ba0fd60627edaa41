import type { SessionRules } from '../../src/core/chain-fact.ts';
import type { Address } from '../../src/core/ids.ts';
import type { SeenAt } from '../task/events.ts';

/** New tasks are under other terms from now on; those that the chain has keep theirs. */
export type SessionUpdated = {
  readonly type: 'SessionUpdated';
  readonly version: number;
  readonly terms: SessionRules;
  readonly seen: SeenAt;
};
/** The session is another account's, with its money and its tasks; the keys of the owner before are good no more. */
export type SessionTransferred = {
  readonly type: 'SessionTransferred';
  readonly from: Address;
  readonly to: Address;
  readonly seen: SeenAt;
};
/** The session rests: it takes no new tasks, all else goes on. */
export type SessionDeactivated = { readonly type: 'SessionDeactivated'; readonly seen: SeenAt };
/** The session takes tasks again. */
export type SessionReactivated = { readonly type: 'SessionReactivated'; readonly seen: SeenAt };
/** A router may act for the session. */
export type SessionRouterAdded = {
  readonly type: 'SessionRouterAdded';
  readonly router: Address;
  readonly seen: SeenAt;
};
/** A router may act for the session no more. */
export type SessionRouterRemoved = {
  readonly type: 'SessionRouterRemoved';
  readonly router: Address;
  readonly seen: SeenAt;
};
/** A miner is on the session's list. */
export type SessionMinerAdded = { readonly type: 'SessionMinerAdded'; readonly miner: Address; readonly seen: SeenAt };
/** A miner is on the session's list no more; it keeps the tasks it has. */
export type SessionMinerRemoved = {
  readonly type: 'SessionMinerRemoved';
  readonly miner: Address;
  readonly seen: SeenAt;
};

/** What a session's owner changes while it goes on. */
export type SessionChange =
  | SessionUpdated
  | SessionTransferred
  | SessionDeactivated
  | SessionReactivated
  | SessionRouterAdded
  | SessionRouterRemoved
  | SessionMinerAdded
  | SessionMinerRemoved;
