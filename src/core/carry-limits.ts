/** The bounds of carrying what nodes have signed to the chain. A part of `limits`, where they are used. */
export const carryLimits = {
  /** Longest time a router waits for the other parts of a phase before it carries those it has, in milliseconds. */
  carryHoldMsMax: 10_000,
  /** Longest time a node leaves its part to a router before it sends it itself, in milliseconds. */
  carryPatienceMsMax: 20_000,
  /** How often a node says again what a router is to carry, until the chain has it, in milliseconds. */
  carryAgainMs: 1_000,
  /** Phases of tasks whose parts a router may hold at a time; one more is refused as `carry_full`. */
  carriedPhasesMax: 4_096,
  /** Results of miners and prompts of tasks that a router copies at a time, so that they are in two places. */
  contentCopiesMax: 256,
  /** Results and prompts that wait at a router to be copied; one more is left to whoever has it. */
  contentCopiesWaitingMax: 4_096,
  /** How long a router tries to copy a result or a prompt, in milliseconds. */
  contentCopyMsMax: 10_000,
  /** Prompts of other routers that a router copies because they ask it to, at a time, beside the copies above. */
  keptCopiesMax: 256,
  /** Prompts of one other router among them; more are answered `router_busy`. */
  keptCopiesOfOneMax: 64,
  /** How long a router tries to copy a prompt that another one asks it to keep, in milliseconds. */
  keptCopyMsMax: 2_000,
  /** How long a router that took a task waits for another one to have its prompt before it says so, in milliseconds. */
  promptKeptMsMax: 1_000,
  /** How long a router waits for a miner's acceptance before it assigns the task without it, in milliseconds. */
  acceptanceMsMax: 1_000,
  /** How long a part that a reorg took back may take to come again before its miner looks, in milliseconds. */
  carryRestoreMs: 3_000,
  /** How often a miner looks whether its part has come again after a reorg, before it gives up. */
  carryRestoreLooksMax: 20,
  /** Acknowledgements of its own that a miner remembers having seen on chain, for jobs that come later. */
  ownAcksKept: 1_024,
  /**
   * How long after a deadline a miner that drains still waits for what the chain makes of its part, in milliseconds: only
   * oracles use a deadline against it in that time.
   */
  drainLateMs: 30_000,
  /** How often a miner that drains looks at the chain for what it owes, in milliseconds. */
  drainLookMs: 500,
  /** How often a miner that drains says what it waits for, in milliseconds. */
  drainSayMs: 10_000,
  /** How long a router itself waits for the end of an appeal window before it comes back another time, in milliseconds. */
  appealWaitMsMax: 2_000,
} as const;
