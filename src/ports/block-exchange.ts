import type { Cid } from '../core/ids.ts';
import type { Subscription } from './event-store.ts';

/** Reads a block that this process holds; undefined where it does not hold it, or holds it damaged. */
export type BlockLookup = (cid: Cid) => Promise<Uint8Array | undefined>;

/**
 * How processes that keep their content apart get at each other's blocks.
 * `test/features/block-exchange.features.ts` is its contract.
 */
export interface BlockExchange {
  /**
   * The bytes of a block that another process holds, checked against the CID. Asks until somebody has it: only the
   * signal ends a search for what nobody has, with its reason. Callers that wait for the same block are given the same
   * bytes, which they must not change.
   *
   * @throws PouwError `invalid_cid`, `content_closed`, `bus_closed`.
   */
  fetch(cid: Cid, signal: AbortSignal): Promise<Uint8Array>;
  /** Answers what others ask for, one server at a time; closing it waits for lookups that run. */
  serve(lookup: BlockLookup): Subscription;
  /** Ends every search with `content_closed`, and the server. */
  close(): Promise<void>;
}
