import type { SessionTerms } from '../../src/core/chain-fact.ts';
import type { Address, SessionId } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { SeenAt, TaskEvent } from '../task/events.ts';
import type { SessionChange } from './change-events.ts';

/** A client opened a session on chain. */
export type SessionOpened = {
  readonly type: 'SessionOpened';
  readonly session: SessionId;
  readonly client: Address;
  readonly terms: SessionTerms;
  readonly seen: SeenAt;
};
/** $COR came in for the session. */
export type SessionDeposited = {
  readonly type: 'SessionDeposited';
  readonly from: Address;
  readonly amountWei: Wei;
  readonly seen: SeenAt;
};
/** A reorg took a deposit back. */
export type SessionDepositReverted = {
  readonly type: 'SessionDepositReverted';
  readonly from: Address;
  readonly amountWei: Wei;
  readonly seen: SeenAt;
};
/** An HTTP key may use the session; only its hash is kept. */
export type ApiKeyBound = { readonly type: 'ApiKeyBound'; readonly keyHash: string };
/** An HTTP key may no longer use the session. */
export type ApiKeyRevoked = { readonly type: 'ApiKeyRevoked'; readonly keyHash: string };
/** The client closes; tasks under way end first. */
export type SessionDraining = { readonly type: 'SessionDraining'; readonly seen: SeenAt };
/** What was left went back to the client. */
export type SessionClosed = { readonly type: 'SessionClosed'; readonly refundedWei: Wei; readonly seen: SeenAt };
/** A reorg took the end back: what had been given back to the client is the session's again, and its end is awaited. */
export type SessionCloseReverted = {
  readonly type: 'SessionCloseReverted';
  readonly refundedWei: Wei;
  readonly seen: SeenAt;
};
/** A reorg took a fact back; the log keeps that it did. `key` names the fact. */
export type ChainFactReverted = {
  readonly type: 'ChainFactReverted';
  readonly fact: string;
  readonly key: string;
  readonly seen: SeenAt;
};
/** A fact that a reorg had taken back stands again. */
export type ChainFactRestored = {
  readonly type: 'ChainFactRestored';
  readonly fact: string;
  readonly key: string;
  readonly seen: SeenAt;
};

/** A batch that had settled tasks of the session is void: what they had cost is back in the balance. */
export type BatchVoided = {
  readonly type: 'BatchVoided';
  readonly batch: number;
  readonly returnedWei: Wei;
  readonly fault: string;
};

/** The events of a session itself. */
export type SessionOwnEvent =
  | SessionOpened
  | SessionDeposited
  | SessionDepositReverted
  | ApiKeyBound
  | ApiKeyRevoked
  | SessionChange
  | SessionDraining
  | SessionClosed
  | SessionCloseReverted
  | BatchVoided
  | ChainFactReverted
  | ChainFactRestored;

/** Every event of a session's stream: its own and its tasks'. */
export type SessionEvent = SessionOwnEvent | TaskEvent;
