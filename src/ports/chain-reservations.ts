import type { Address, SessionId } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';

/** A transaction about miners that are kept for a session. */
export type ReservationCall =
  /** By the session's owner, and its routers where they may submit: for one reservation under the newest terms. */
  | { readonly call: 'inviteMiner' | 'withdrawInvitation'; readonly session: SessionId; readonly miner: Address }
  /** By who may invite: before the time is over, for the part of the fee until then. */
  | { readonly call: 'dismissMiner'; readonly session: SessionId; readonly miner: Address }
  /** By the miner that was invited: the session's fee is set aside for it. */
  | { readonly call: 'joinSession'; readonly session: SessionId }
  /** By the miner, before its time is over, for nothing. */
  | { readonly call: 'leaveSession'; readonly session: SessionId }
  /** By anyone, after its time: the miner earns the fee if it is still active. */
  | { readonly call: 'endReservation'; readonly session: SessionId; readonly miner: Address };

/** A miner that is kept for a session. */
export interface Reservation {
  readonly miner: Address;
  /** What the session has set aside for it. */
  readonly feeWei: Wei;
  /** Milliseconds since 1970; a reservation whose time is over is there until somebody ends it. */
  readonly since: number;
  readonly reservedUntil: number;
}

/** A miner that may join a session, as long as its terms are of this version. */
export interface Invitation {
  readonly miner: Address;
  readonly version: number;
}

/** What the chain is asked about miners that are kept for a session. */
export interface ReservationReads {
  reservations(session: SessionId): Promise<readonly Reservation[]>;
  /** All that were neither followed nor taken back, those under earlier terms included. */
  invitations(session: SessionId): Promise<readonly Invitation[]>;
}
