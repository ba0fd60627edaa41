import type { SessionRules } from '../core/chain-fact.ts';
import type { Address, SessionId } from '../core/ids.ts';

/** A transaction by which a session's owner changes it, or another account takes it over. */
export type SessionChangeCall =
  /** Other terms for the tasks that are submitted from now on, for the same model; the lists stay. */
  | { readonly call: 'updateSession'; readonly session: SessionId; readonly terms: SessionRules }
  /** `to` may accept it; null takes an offer back. */
  | { readonly call: 'offerSession'; readonly session: SessionId; readonly to: Address | null }
  /** By the account that it was offered to. */
  | { readonly call: 'acceptSession'; readonly session: SessionId }
  /** It takes no new tasks, until it is reactivated. */
  | { readonly call: 'deactivateSession' | 'reactivateSession'; readonly session: SessionId }
  | { readonly call: 'addRouter' | 'removeRouter'; readonly session: SessionId; readonly router: Address }
  /** At once, so that a session with a single router can change it. */
  | {
      readonly call: 'replaceRouter';
      readonly session: SessionId;
      readonly router: Address;
      readonly replacement: Address;
    }
  | {
      readonly call: 'addDedicatedMiner' | 'removeDedicatedMiner';
      readonly session: SessionId;
      readonly miner: Address;
    };
