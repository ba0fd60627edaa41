/** What a router's desk for batches is bounded by. A part of `limits`, where they are used. */
export const batchLimits = {
  /** Tasks a router gathers before it begins a batch, at most; `batchTasksMax` is what the contract would take. */
  batchGatheredTasksMax: 256,
  /** Milliseconds the first precommitted task waits for others before a batch begins with what is there. */
  batchGatherMs: 1_000,
  /** Batches that wait for their windows from which on the wait doubles, with each that many more. */
  batchesPerGatherStep: 8,
  /** Batches that turned out void which a session's state remembers, so that none gives its money back twice. */
  sessionVoidBatchesKept: 64,
} as const;
