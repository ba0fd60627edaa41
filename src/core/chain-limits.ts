/** The bounds of whoever talks to a chain's nodes; a part of `limits`. */
export const chainLimits = {
  /** Transactions that may wait behind one account's sender. */
  chainSenderQueueMax: 4_096,
  /** How often a transaction that is not mined is replaced by one with a higher fee. */
  chainFeeBumpsMax: 6,
  /** JSON-RPC endpoints of one chain that a process may be given. */
  chainEndpointsMax: 8,
  /** Blocks another endpoint of the chain may be ahead of the one in use before the process goes over to it. */
  chainLagBlocksMax: 8,
  /** How long a process waits for an endpoint that has all blocks it has seen before it takes the newest there is, in milliseconds. */
  chainBehindMsMax: 60_000,
  /** How long no block may come while a deadline waits for one before an oracle says so, in milliseconds. */
  chainStallWarnMs: 30_000,
  /** Blocks one log query of the chain may span; halved where a node answers that it is too much. */
  chainLogRangeBlocksMax: 2_000,
  /** Recent block hashes a chain cursor keeps. */
  chainCursorHashesMax: 64,
  /** Blocks with facts that are remembered to undo them after a reorg: the deepest reorg that is survived. */
  chainWindowBlocksMax: 4_096,
  /** Reorgs whose removed facts are kept for followers that have not handled them yet. */
  chainReorgsKept: 64,
  /** Facts of one delivery to a chain follower; a block is never split. */
  chainDeliveryFactsMax: 1_000,
  /** Blocks a local chain keeps one by one before its state is saved whole, empty ones included. */
  chainUnsavedBlocksMax: 1_024,
  /** Bytes of one answer of a chain's node. */
  chainAnswerBytesMax: 10_485_760,
};
