/**
 * Every bound of the system in one place, with its unit last. Each is documented in `docs/limits.md` and
 * tested at the bound. Values that an operator may change are defaults of options named alike.
 */
export const limits = {
  /** Redundancy k of a session. */
  redundancyMax: 16,
  /** Validators of a session. */
  validatorsMax: 16,
  /** How often one slot of a task may be given to another miner. */
  slotAttemptsMax: 5,
  /** Tasks of one session that may be unfinished at a time. */
  sessionOpenTasksMax: 256,
  /** Ended tasks a session's state keeps; older ones are read from the log. */
  sessionEndedTasksKept: 256,
  /** Characters of a prompt, all messages together. */
  promptCharsMax: 131_072,
  /** Messages of a chat prompt. */
  promptMessagesMax: 512,
  /** Tokens one task may ask for. */
  outputTokensMax: 4_096,
  /** Stop strings of a task. */
  stopStringsMax: 4,
  /** Characters of a stop string. */
  stopStringCharsMax: 256,
  /** Bytes of an HTTP request body. */
  httpBodyBytesMax: 1_048_576,
  /** Inputs of one embeddings request. */
  embeddingInputsMax: 2_048,
  /** Bytes of one bus message. */
  busMessageBytesMax: 1_048_576,
  /** Messages a bus subscriber may have waiting; then the oldest rule of the subscription applies. */
  busPendingMessagesMax: 65_536,
  /** Bytes of one commit. */
  commitBytesMax: 1_048_576,
  /** Events of one commit. */
  commitEventsMax: 1_000,
  /** Bytes of one content block. */
  contentBytesMax: 2_097_152,
  /** How often a host re-decides after a conflict before it gives up. */
  conflictRetriesMax: 16,
  /** Commands one actor may have waiting. */
  actorMailboxMax: 4_096,
  /** Actors a host keeps in memory before it evicts idle ones. */
  hostActorsMax: 50_000,
} as const;
