import type { KeysByAddress } from '../../../core/author-rules.ts';
import type { Address, SessionId, StreamId } from '../../../core/ids.ts';
import type { RefusalCode } from './stored-commit.ts';

/** The registry, as the log's reader asks it. Keys and roles never change once they are there. */
export interface LogRegistry extends KeysByAddress {
  /**
   * Asks the chain for nodes that are not known. Resolves when it has answered: who is unknown then has not registered.
   * While the chain cannot be asked it waits.
   */
  learn(authors: readonly Address[]): Promise<void>;
  /**
   * What the chain has of sessions whose streams begin; left out where it is not asked, and a session's first commit is
   * believed as long as its author is one of the routers that it names.
   */
  readonly openings?: OpeningRegistry;
}

/** A first commit of a session's stream, and what it says of where the chain has it. */
export interface OpeningClaim {
  readonly session: SessionId;
  readonly author: Address;
  /** The block in which it was opened, by the commit; undefined where that cannot be read. */
  readonly block: number | undefined;
}

/** With which routers sessions were opened, as the chain has it. */
export interface OpeningRegistry {
  /** The routers of a session that was learned; undefined where the chain has no such session. */
  get(session: SessionId): readonly Address[] | undefined;
  /** Asks the chain. While it cannot be asked, or has not come to the blocks that are claimed, it waits. */
  learn(claims: readonly OpeningClaim[]): Promise<void>;
}

/** Something in the log that does not count. */
export interface RefusedMessage {
  readonly position: number;
  readonly code: RefusalCode;
  /** The stream in whose place it lies; undefined where its subject names none. */
  readonly stream: StreamId | undefined;
}

/** What the reader of a log goes by, and whom it tells what it passed over. */
export interface LogTrust {
  /** Whose signatures count; left out where nobody's is checked, only form, hash and place in the stream. */
  readonly registry?: LogRegistry | undefined;
  /** Told once of each message that does not count, when it is first read. */
  readonly onRefused?: ((refused: RefusedMessage) => void) | undefined;
}
