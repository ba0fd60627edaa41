import type { SessionTerms } from '../core/chain-fact.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, SessionId } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';

/** A transaction of the second way to pay: a stake that may use a pool. */
export type UseCall =
  /** Gives money to the pool, for good. Anyone may. */
  | { readonly call: 'fundPool'; readonly amountWei: Wei }
  | { readonly call: 'stakeForUse'; readonly amountWei: Wei }
  /** Asks for the whole stake; from then on nothing may be used. */
  | { readonly call: 'requestUseUnstake' }
  | { readonly call: 'withdrawUseStake' }
  /** Opens a session that the pool pays for; routers may not submit to it, whatever its terms say. */
  | { readonly call: 'openPooled'; readonly terms: SessionTerms; readonly depositWei: Wei }
  | { readonly call: 'topUpPooled'; readonly session: SessionId; readonly amountWei: Wei }
  | {
      readonly call: 'submitPooled';
      readonly session: SessionId;
      readonly requestId: Hex;
      readonly promptDigest: Hex;
      readonly maxTokens: number;
      readonly maxPriceWei: Wei;
    }
  /** Ends a session of the pool; what is left is the pool's again. */
  | { readonly call: 'closePooled'; readonly session: SessionId };

/** What an account has staked for its use of the network. */
export interface UseStake {
  readonly amountWei: Wei;
  /** What it may use of the pool now. */
  readonly usableWei: Wei;
  /** When the stake can be taken back, in milliseconds since 1970; undefined where it was not asked for. */
  readonly unlocksAt: number | undefined;
}

/** What the chain is asked about stakes for use. */
export interface UseReads {
  useStake(account: Address): Promise<UseStake>;
  /** What is in the pool, and all stakes together, which it never touches. */
  usePool(): Promise<{ readonly poolWei: Wei; readonly stakedWei: Wei }>;
  /** Whose session it is that the pool pays for; undefined where it is none of the pool's. */
  poolUser(session: SessionId): Promise<Address | undefined>;
}
