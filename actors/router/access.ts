import type { Address } from '../../src/core/ids.ts';
import type { SeenAt } from '../task/events.ts';

/** What a router has said of an account that it has listed. */
export type Listing = 'served' | 'refused';

/** Whom a router serves, by its own word on chain. */
export type Access = {
  /** Whether it serves only whom it has listed as served. */
  readonly exclusive: boolean;
  readonly listed: { readonly [account: Address]: Listing };
};

/** A router that has said nothing serves everybody. */
export const openToAll: Access = { exclusive: false, listed: {} };

/** The router has listed an account, or taken it off its list. */
export type AccountListed = {
  readonly type: 'AccountListed';
  readonly account: Address;
  readonly listing: Listing | null;
  readonly seen: SeenAt;
};

/** The router serves from now on whom it has not listed, or does not. */
export type OthersRuled = { readonly type: 'OthersRuled'; readonly served: boolean; readonly seen: SeenAt };

/** Every event about whom a router serves. */
export type AccessEvent = AccountListed | OthersRuled;

/** The state after an event. */
export function afterAccess(access: Access, event: AccessEvent): Access {
  if (event.type === 'OthersRuled') return { ...access, exclusive: !event.served };
  const { [event.account]: _, ...others } = access.listed;
  return { ...access, listed: event.listing === null ? others : { ...others, [event.account]: event.listing } };
}

/** Whether a router serves an account: a client whose tasks it takes, a node that it chooses. As `isServed` of the registry. */
export function isServed({ access = openToAll }: { readonly access?: Access }, account: Address): boolean {
  const listing = access.listed[account];
  return listing === undefined ? !access.exclusive : listing === 'served';
}
