/** The bounds of what runs over NATS: connection, log, buckets, queues of jobs. A part of `limits`, where they are used. */
export const natsLimits = {
  /** Bytes of one message on NATS, its headers included: a bus message or a commit, and room for what describes it. */
  natsPayloadBytesMax: 1_114_112,
  /** Bytes that a NATS server keeps for a connection that does not read them; then it is cut, and connects again. */
  natsPendingBytesMax: 67_108_864,
  /** Subscriptions of one connection to a NATS server: those of a router with all its sessions, and some. */
  natsSubscriptionsMax: 131_072,
  /** Bytes on their way to a NATS server that it has not taken; more are lost, as on a network that is too slow. */
  natsOutboundBytesMax: 67_108_864,
  /** First wait before a lost connection to NATS is tried again, in milliseconds; it doubles each time. */
  natsReconnectMsMin: 100,
  /** Longest wait before a lost connection to NATS is tried again, in milliseconds. */
  natsReconnectMsMax: 10_000,
  /** Appends a log on NATS may have under way; later ones wait their turn. */
  logAppendsInFlightMax: 1_024,
  /** Commits that are read from a log on NATS with one request, if `storePageBytesMax` allows as many. */
  logPageCommitsMax: 4_096,
  /** Commits that a reader of the whole log on NATS is sent for one request; few enough to be young when they are dropped. */
  logPullCommitsMax: 256,
  /** Bytes that a reader of the whole log on NATS is sent for one request; a commit is smaller. */
  logPullBytesMax: 2_097_152,
  /** Requests that a reader of the whole log on NATS has under way. */
  logPullsMax: 8,
  /** How long a log on NATS is tried to be reached before its caller is told, in milliseconds. */
  logReachMsMax: 15_000,
  /** How long one request to a log on NATS waits for its answer before it is sent again, in milliseconds. */
  logAnswerMsMax: 2_000,
  /** Commits by which a follower of a log on NATS takes the word of a message for it that there are more; beyond them it looks. */
  logToldAheadMax: 65_536,
  /** How long a NATS server recognises a repeated commit by itself, in milliseconds; later the log is read to tell. */
  logDuplicateWindowMs: 10_000,
  /** How often a follower of a log on NATS looks for commits it was not told of, in milliseconds. */
  logPollMs: 1_000,
  /** Bytes of a message's headers that are read, from their end: more than pouw sends and a server adds. */
  natsHeadersBytesMax: 32_768,
  /** Headers of a message that are read, from their end: more than pouw sends and a server adds. */
  natsHeadersMax: 256,
  /** How long a node counts as not ready after servers had no room for what it wrote, in milliseconds. */
  logFullMs: 30_000,
  /** How long a NATS server recognises a repeated write to a bucket, in milliseconds; longer than one is repeated. */
  bucketDuplicateWindowMs: 120_000,
  /** Leases of others a holder of leases on NATS remembers having seen; a forgotten one is waited for anew. */
  leasesSeenMax: 65_536,
  /** Jobs of one model that may be in its queue, those in hand included; one more is refused as `queue_full`. */
  queuedJobsMax: 10_000,
  /** Published jobs whose places a queue on NATS remembers, to tell which were handed out. */
  jobPlacesKept: 65_536,
  /** How long what a queue on NATS knows of the jobs handed out is taken for true, in milliseconds. */
  jobPlacesMs: 250,
  /** Bytes of a job. */
  jobBytesMax: 262_144,
  /** Characters of a job's id. */
  jobIdCharsMax: 256,
  /** How often a job is handed out before it is put aside as dead. */
  jobDeliveriesMax: 5,
  /** How long a job that was handed out may stay without a word before it is handed out again, in milliseconds. */
  jobAckWaitMs: 5_000,
  /** How long a queue recognises a job that is published again, in milliseconds. */
  jobDuplicateWindowMs: 120_000,
  /** Jobs one worker may have in hand. */
  jobsInHandMax: 1_024,
  /** Jobs of one model that all its workers may have in hand on NATS. */
  jobsUnderWayMax: 4_096,
  /** How long one question for a job on NATS waits for an answer, in milliseconds. */
  jobPullMs: 1_000,
  /** Dead jobs of one model that are kept; the oldest are forgotten first. */
  deadJobsKept: 10_000,
  /** Characters of the reason why a job is dead; the rest is cut off. */
  deadReasonCharsMax: 1_024,
  /** Done effects of a stream beyond its watermark that a journal on NATS remembers; more are done again after a crash. */
  journalDoneMax: 65_536,
  /** Bytes of one part of a snapshot that does not fit into one message on NATS. */
  snapshotPartBytesMax: 524_288,
  /** How long a node that said on NATS that it is there is listed without saying it again, in milliseconds. */
  presenceMs: 5_000,
  /** How often who watches the board of those present looks at it, in milliseconds. */
  presencePollMs: 500,
  /** Bytes of what a node says of itself on the board of those present. */
  presenceBytesMax: 65_536,
} as const;
