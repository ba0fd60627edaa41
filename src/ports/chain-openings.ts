import type { Address, SessionId } from '../core/ids.ts';

/** Whose openings are asked for. */
export type OpeningsAsked = { readonly fromBlock: number; readonly toBlock: number } | { readonly session: SessionId };

/** A session as it was opened: whoever its list names then may write its stream for good. */
export interface SessionOpening {
  readonly session: SessionId;
  readonly routers: readonly Address[];
}

/** What the chain says of openings. */
export interface OpeningReads {
  /** Which routers sessions were opened with: those of a range of blocks, both ends included, or one session. */
  openings(asked: OpeningsAsked): Promise<readonly SessionOpening[]>;
}
