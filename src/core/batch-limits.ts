/** What a router's desk for batches is bounded by. A part of `limits`, where they are used. */
export const batchLimits = {
  /** Tasks a router gathers before it begins a batch, at most; `batchTasksMax` is what the contract would take. */
  batchGatheredTasksMax: 256,
  /** Milliseconds the first precommitted task waits for others before a batch begins with what is there. */
  batchGatherMs: 1_000,
  /** Batches that wait for their windows from which on the wait doubles, with each that many more. */
  batchesPerGatherStep: 8,
  /** Leaves that an oracle demands of one batch whose content it cannot have, or is not what was posted, one by one. */
  batchDemandsMax: 4,
  /** Leaves that an oracle demands within a day of the batches of one poster that stand; each costs 1 $COR once shown. */
  posterDemandsMax: 16,
  /** How long the content of a posted batch may take to arrive before its leaves are demanded, in milliseconds. */
  batchContentPatienceMs: 120_000,
  /** How often an oracle looks at the batches that it cannot check and at what it has demanded, in milliseconds. */
  batchLookMs: 5_000,
  /** Batches that turned out void which a session's state remembers, so that none gives its money back twice. */
  sessionVoidBatchesKept: 64,
} as const;
