import type { RouterGrant, SignedAllowance } from '../core/allowance.ts';
import type { Address, SessionId } from '../core/ids.ts';

/** What a router may still escrow of a session. */
export type RouterAllowance = RouterGrant & { readonly router: Address };

/** What the gateway asks of the network where the owners of sessions let routers spend by signature. */
export interface AllowanceNetwork {
  /**
   * Brings a signed allowance to the chain, by the router that it names, and resolves once it is there.
   *
   * @throws PouwError `allowance_for_another_session`, `allowance_for_another_router` where that router is not of this
   *   process, `allowance_not_of_owner`, `allowance_expired`, `allowance_used`, `allowance_not_signed`, `allowance_empty`,
   *   `too_many_allowances`: nothing was sent then.
   */
  allow(session: SessionId, signed: SignedAllowance): Promise<RouterAllowance>;
  /** What each router of a session may still escrow by an allowance; those that may nothing are left out. */
  allowances(session: SessionId): Promise<readonly RouterAllowance[]>;
}
