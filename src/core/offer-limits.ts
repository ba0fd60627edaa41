/** The bounds of offering the places of tasks to whoever comes first. A part of `limits`, where they are used. */
export const offerLimits = {
  /** How often an offer of a place is handed out before it is put aside as dead; more often than its time allows. */
  offerDeliveriesMax: 1_000,
  /** First wait before an offer that a miner may not have is handed out again, in milliseconds; it doubles each time. */
  offerRetryMsMin: 20,
  /** Longest wait before an offer that a miner may not have is handed out again, in milliseconds. */
  offerRetryMsMax: 2_000,
  /** How soon an offer goes to others whose miner has a place in its task already, in milliseconds. */
  offerDeclinedMs: 250,
  /** Into how many rounds a task's time in the queue is cut: what was handed out and not claimed is offered again in each. */
  offerRoundsPerQueueTime: 12,
  /** Shortest round of offers, in milliseconds. */
  offerRoundMsMin: 2_000,
  /** Longest round of offers, in milliseconds; then an offer is made again that was not even handed out. */
  offerRoundMsMax: 60_000,
  /** Offers a router remembers having made, so that it does not publish each again; a forgotten one is a duplicate. */
  offersKept: 65_536,
  /** How long a claim stands while other places of its task are free, in milliseconds; then its miner may leave. */
  claimHoldMs: 15_000,
  /** How long a miner keeps a place free for a job it has claimed, in milliseconds. */
  claimedJobMsMax: 30_000,
} as const;
