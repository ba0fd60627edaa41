import type { RouterGrant, SignedAllowance } from '../core/allowance.ts';
import type { Address, SessionId } from '../core/ids.ts';

/** A transaction about what owners let routers spend. */
export type AllowanceCall =
  /** Anyone may: an allowance says for whom it is. */
  | ({ readonly call: 'useAllowance' } & SignedAllowance)
  /** Takes back what a router has left; whoever signed may. */
  | { readonly call: 'revokeAllowance'; readonly session: SessionId; readonly router: Address }
  /** Makes an allowance of the sender worthless that was not brought yet; `nonce` in decimal digits. */
  | { readonly call: 'revokeNonce'; readonly nonce: string };

/** What the chain is asked about allowances. */
export interface AllowanceReads {
  /** What a router may still escrow of a session; undefined where it was allowed nothing, or that was revoked. */
  grant(session: SessionId, router: Address): Promise<RouterGrant | undefined>;
  /** Why the contract would not take an allowance now, by the name of its error; undefined where it would. */
  allowanceRefusal(signed: SignedAllowance): Promise<string | undefined>;
}
