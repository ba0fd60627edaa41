import type { AccountAccess } from '../core/chain-fact.ts';
import type { Address } from '../core/ids.ts';

/** A transaction by which a router says whom it serves. */
export type AccessCall =
  /** At most 64 accounts in one call, and 1,024 on the list. */
  | { readonly call: 'setAccess'; readonly accounts: readonly Address[]; readonly access: AccountAccess }
  /** Whether it serves only whom it has listed as served. */
  | { readonly call: 'setExclusive'; readonly exclusive: boolean };

/** Whom a router serves. */
export interface RouterAccess {
  readonly exclusive: boolean;
  /** Whom it has listed, in order of address. */
  readonly listed: readonly { readonly account: Address; readonly access: Exclude<AccountAccess, 'unlisted'> }[];
}
