import type { KeysByAddress } from '../../../core/author-rules.ts';
import type { Address, StreamId } from '../../../core/ids.ts';
import type { RefusalCode } from './stored-commit.ts';

/** The registry, as the log's reader asks it. Keys and roles never change once they are there. */
export interface LogRegistry extends KeysByAddress {
  /**
   * Asks the chain for nodes that are not known. Resolves when it has answered: who is unknown then has not registered.
   * While the chain cannot be asked it waits.
   */
  learn(authors: readonly Address[]): Promise<void>;
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
