/** The bounds of checkpoints of reputation; a part of `limits`. */
export const checkpointLimits = {
  /** The least time between two looks of an oracle at whether a checkpoint is due, in milliseconds. */
  checkpointEveryMsMin: 100,
  /** The longest time between two looks, in milliseconds. */
  checkpointEveryMsMax: 86_400_000,
  /** Signatures of one checkpoint; the contract holds to it. */
  checkpointSignaturesMax: 256,
  /** Levels that an oracle has follow a checkpoint at one look. */
  levelsAtOnceMax: 64,
} as const;
