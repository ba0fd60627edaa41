/** The bounds of idle rounds; a part of `limits`. */
export const roundLimits = {
  /** Paying jobs, validations and accepted tasks that a process may have in hand while it works on an idle round. */
  idleInHandMax: 0,
  /** How often idle work looks whether a paying task has come, in milliseconds; it gives way then. */
  idleLookMs: 50,
  /** How long a node that fell out of the pool, or could not get in, stays out, in milliseconds. */
  poolRejoinMs: 600_000,
  /** Miners in the pool without whom no round can end well: two make it, two answer. */
  roundMinersMin: 4,
  /** Tokens of a round's topic. */
  roundTopicTokensMax: 64,
  /** Characters of a round's topic. */
  roundTopicCharsMax: 4_096,
  /** Questions of a round. */
  roundQuestionsMax: 3,
  /** Tokens of one answer of a round. */
  roundAnswerTokensMax: 64,
  /** Characters of one answer of a round. */
  roundAnswerCharsMax: 16_384,
  /** Miners that answer in a round; the contract's bound. */
  roundAnswerersMax: 5,
  /** Similarity from which two answers of a round agree, in ten-thousandths. */
  roundSimilarityBps: 5_000,
  /** By how much two validators may differ about a similarity and still sign one data set, in ten-thousandths. */
  roundScoreToleranceBps: 100,
  /** How long the contents of a round may take to arrive, in milliseconds. */
  roundContentMsMax: 10_000,
} as const;
