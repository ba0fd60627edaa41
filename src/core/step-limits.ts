/** Bounds of tasks that come after others. A part of `limits`, where they are used. */
export const stepLimits = {
  /** Tasks that one step comes after; the contract holds to it. */
  stepParentsMax: 8,
  /** The highest step of a task, so many may stand in a row before it; the contract holds to it. */
  stepMax: 15,
  /** Steps of one plan. */
  planStepsMax: 16,
  /** Characters of the name of a step. */
  stepNameCharsMax: 32,
} as const;
