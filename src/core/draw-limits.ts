/** The bounds of a draw and of what follows from it on chain; the contract holds to them; a part of `limits`. */
export const drawLimits = {
  /** Candidates of one draw that go on chain; those with the smallest keys, so that the draw is that of all. */
  candidatesMax: 64,
  /** The highest weight of a candidate in a selection, in millionths, whatever its level; the contract holds to it. */
  selectionWeightMax: 65_535_000,
  /** Tasks of one session that are assigned and not ended; the contract has a lane for each. */
  sessionLanesMax: 256,
  /** Tasks that a validator remembers to have been drawn for, to judge them before it stops. */
  validatorDrawnMax: 4_096,
  /** How often one slot of a task may be given to another miner. */
  slotAttemptsMax: 5,
} as const;
