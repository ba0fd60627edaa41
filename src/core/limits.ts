import { batchLimits } from './batch-limits.ts';
import { carryLimits } from './carry-limits.ts';
import { chainLimits } from './chain-limits.ts';
import { checkpointLimits } from './checkpoint-limits.ts';
import { drawLimits } from './draw-limits.ts';
import { natsLimits } from './nats-limits.ts';
import { offerLimits } from './offer-limits.ts';
import { roundLimits } from './round-limits.ts';
import { senderLimits } from './sender-limits.ts';
import { sessionLimits } from './session-limits.ts';
import { stepLimits } from './step-limits.ts';

/** Every bound, its unit last; documented in `docs/limits.md`, tested there. Some are defaults of options named alike. */
export const limits = {
  ...natsLimits,
  ...batchLimits,
  ...offerLimits,
  ...carryLimits,
  ...senderLimits,
  ...drawLimits,
  ...sessionLimits,
  ...stepLimits,
  ...checkpointLimits,
  ...roundLimits,
  /** Tasks of one batch; the contract holds to it. */
  batchTasksMax: 1_024,
  /** Sessions of one batch; the contract holds to it. */
  batchSessionsMax: 16,
  /** Payments of one batch; the contract holds to it. */
  batchPaymentsMax: 65_536,
  /** Batches of one router that wait for the end of their challenge window; the contract holds to it. */
  batchesPostedMax: 64,
  /** How often the words of one task may go over to another miner that lives; then its client waits for the verdict. */
  taskJoinsMax: 64,
  /** Milliseconds in which an assignment that a reorg took back may come again before its task is given up. */
  assignmentRestoreMs: 10_000,
  /** Tasks of one session that may be unfinished at a time. */
  sessionOpenTasksMax: 256,
  /** Ended tasks a session's state keeps; older ones are read from the log. */
  sessionEndedTasksKept: 256,
  /** Blocks whose deposits a session's state keeps, to undo them: no reorg reaches back further (`chainWindowBlocksMax`). */
  sessionDepositBlocksKept: 4_096,
  /** Facts taken back by a reorg that a session's state notes until they come again; then the oldest notes go. */
  sessionRevertedFactsKept: 4_096,
  /** Tasks a node's index of the log remembers; older ones are in the log only, and the chain refuses their ids. */
  indexedTasksMax: 1_000_000,
  /** Closed sessions a process still answers for; older ones are in the log only. */
  closedSessionsKept: 65_536,
  /** Ended tasks whose tokens a router keeps for late watchers. */
  endedFeedsKept: 256,
  /** Sessions of other routers whose state a router keeps, so that reading them costs their newest commits only. */
  readSessionsKept: 256,
  /** Milliseconds a router waits for a session to have an owner that takes a task or a cancellation. */
  /** Milliseconds a router waits for a session to have an owner that takes a task or a cancellation, and has a place for it. */
  ownerWaitMsMax: 5_000,
  /** Tasks and cancellations from other routers that a router has under way, and as many times prompts that it is to keep; one more is answered `router_busy`. Of one router: `forwardedWritesOfOneMax`. */
  forwardedWritesMax: 256,
  /** Milliseconds after which a forwarded task or cancellation is too old to be carried out. */
  forwardedWriteAgeMsMax: 30_000,
  /** Forwarded tasks and cancellations a router remembers, so that none is carried out again when it is replayed. */
  forwardedWritesKept: 65_536,
  /** Chunks of one answer that wait at a router for one before them. */
  chunksAheadMax: 256,
  /** Jobs whose chunks a miner keeps to send them again. */
  sentJobsKept: 512,
  /** Bytes of chunks a miner keeps to send them again, all jobs together; the oldest jobs go first. */
  sentBytesKept: 33_554_432,
  /** Chunks of one answer of a miner that sends again. */
  resendChunksMax: 512,
  /** Bytes of chunks of one answer of a miner that sends again; one chunk is always sent. */
  resendBytesMax: 262_144,
  /** Answers that a router has miners send again at a time. */
  resendsMax: 64,
  /** Milliseconds a running answer may be silent before its miner is asked whether something was lost. */
  resendAfterMsMin: 2_000,
  /** Longest time between two such questions, in milliseconds; it doubles while nothing was lost. */
  resendAfterMsMax: 16_000,
  /** HTTP keys of one session. */
  sessionApiKeysMax: 32,
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
  /** Bytes of an HTTP request's line and headers together. */
  httpHeaderBytesMax: 16_384,
  /** Characters of an HTTP API key. */
  apiKeyCharsMax: 256,
  /** Characters of an `Idempotency-Key` header. */
  idempotencyKeyCharsMax: 256,
  /** HTTP requests and sockets one API key may have under way; one more is answered 429. */
  httpRequestsPerKeyMax: 64,
  /** HTTP requests and sockets of all keys under way; one more is answered 429. */
  httpRequestsMax: 1_024,
  /** Milliseconds an HTTP request may take to arrive. */
  httpReceiveMsMax: 60_000,
  /** Milliseconds from an HTTP request's headers to the end of its answer, streams included. */
  httpRequestMsMax: 600_000,
  /** Milliseconds a stream may be silent; then a keep-alive is sent. */
  httpKeepAliveMs: 15_000,
  /** Milliseconds a reader may leave a full socket unread; then its stream is cut. */
  httpStallMsMax: 60_000,
  /** Milliseconds a closing gateway waits for the requests under way. */
  httpDrainMsMax: 10_000,
  /** Bytes of a WebSocket message from a client; a task's socket expects none. */
  socketMessageBytesMax: 1_024,
  /** Bytes a WebSocket may hold for its reader before the stream waits for it. */
  socketPendingBytesMax: 65_536,
  /** Tasks of one page of a session's tasks. */
  pageTasksMax: 100,
  /** Pairs in the `metadata` of a response. */
  metadataPairsMax: 16,
  /** Characters of a key in it. */
  metadataKeyCharsMax: 64,
  /** Characters of a value in it. */
  metadataValueCharsMax: 512,
  /** Inputs of one embeddings request. */
  embeddingInputsMax: 2_048,
  /** Texts of one embedding task; a longer request becomes several tasks. */
  embedTaskInputsMax: 256,
  /** Bytes of one bus message. */
  busMessageBytesMax: 1_048_576,
  /** Bytes of all names and values of a bus message's headers. */
  busHeaderBytesMax: 16_384,
  /** Headers of a message on the bus; one more is refused as `invalid_headers`. */
  busHeadersMax: 128,
  /** Messages a bus subscriber may have waiting; then the oldest rule of the subscription applies. */
  busPendingMessagesMax: 65_536,
  /** Bytes of all messages a bus subscriber may have waiting; the oldest go first, as for their number. */
  busPendingBytesMax: 67_108_864,
  /** Characters of a bus subject or pattern. */
  busSubjectCharsMax: 512,
  /** Subjects whose receivers a bus remembers between two changes of its subscriptions. */
  busMatchesCachedMax: 4_096,
  /** How long a bus that drains waits for its handlers before it closes over them, in milliseconds. */
  busDrainMsMax: 10_000,
  /** Bytes of one commit. */
  commitBytesMax: 1_048_576,
  /** Events of one commit. */
  commitEventsMax: 1_000,
  /** Writes that may wait for a store's next transaction; one more is refused as `log_busy`. */
  storePendingWritesMax: 65_536,
  /** Writes that share one transaction, and so one flush to the disk. */
  storeGroupWritesMax: 1_024,
  /** Commits that are read from a store at a time. */
  storePageCommitsMax: 256,
  /** Bytes of commits that are read from a store at a time; one commit is always read. */
  storePageBytesMax: 4_194_304,
  /** Stream heads that a store keeps in memory. */
  storeHeadsCachedMax: 16_384,
  /** How long a write that may lag (a snapshot, an effect's mark) waits for the disk, in milliseconds. */
  storeLagMsMax: 50,
  /** How long a store whose last write failed waits until it tries one by itself, in milliseconds. */
  storeRetryMs: 5_000,
  /** Bytes of one snapshot's state; a larger one is not kept. */
  snapshotBytesMax: 8_388_608,
  /** Characters of a cursor's value. */
  cursorCharsMax: 65_536,
  /** Bytes of one commit's line in an exported log: the commit and its position. */
  logLineBytesMax: 1_049_600,
  /** Bytes of the first line of an exported log, which holds all heads and anchors. */
  logHeaderBytesMax: 268_435_456,
  /** How deep the JSON of a commit that is read from elsewhere may be nested. */
  logJsonDepthMax: 64,
  /** Faults a verification lists; more are only counted. */
  logFaultsMax: 100,
  /** Bytes of one content block. */
  contentBytesMax: 2_097_152,
  /** Bytes of content that may wait for the disk; then `put` waits too. */
  contentPendingBytesMax: 67_108_864,
  /** Blocks the content store makes durable together. */
  contentBatchBlocksMax: 64,
  /** Stored CIDs a content store remembers, so that storing a value again costs nothing. */
  contentKnownCidsMax: 65_536,
  /** Bytes of a block that one message between processes carries. */
  blockRangeBytesMax: 262_144,
  /** Ranges of one block that are asked for at a time: one is on its way while the next is read. */
  blockRangesMax: 2,
  /** How long a process may take to answer for a range of a block, in milliseconds; then it is given up. */
  blockRangeMsMax: 2_000,
  /** How long a process may take for a whole block, in milliseconds, before another is asked for it as well. */
  blockSlowMs: 500,
  /** Processes that one block is fetched from at a time, the slow ones included. */
  blockHoldersMax: 3,
  /** First wait for somebody to offer a block before all are asked again, in milliseconds; it doubles each time. */
  blockRetryMsMin: 20,
  /** Longest wait for somebody to offer a block before all are asked again, in milliseconds. */
  blockRetryMsMax: 1_000,
  /** Blocks a process asks others for at a time; one more waits until it is had or given up. */
  blockSearchesMax: 4_096,
  /** Bytes of blocks that may be on their way to a process. */
  blockFetchBytesMax: 16_777_216,
  /** Offers of one block that are kept until they are tried. */
  blockOffersMax: 64,
  /** Processes remembered for wrong or missing answers; they are asked last. */
  blockSuspectsKept: 256,
  /** Blocks a process reads at a time for others. */
  blockReadsMax: 8,
  /** Blocks that may wait to be read for others; one more is not served. */
  blockReadsQueuedMax: 1_024,
  /** Bytes of blocks a process keeps in memory after it served them. */
  blockServedBytesKept: 8_388_608,
  /** How often a host re-decides after a conflict before it gives up. */
  conflictRetriesMax: 16,
  /** Commands one actor may have waiting. */
  actorMailboxMax: 4_096,
  /** Actors a host keeps in memory before it evicts idle ones. */
  hostActorsMax: 50_000,
  ...chainLimits,
  /** Threads that run models. */
  inferenceWorkersMax: 64,
  /** Generations and embeddings one thread interleaves. */
  generationsPerWorkerMax: 64,
  /** Generations and embeddings that may wait for a thread's place; then `inference_busy`. */
  inferenceQueueMax: 256,
  /** How often in a row a thread that died may be started again. */
  inferenceRestartsMax: 3,
  /** Milliseconds one generation may take, waiting included. */
  generationMsMax: 3_600_000,
  /** Alternatives whose log-probability may be asked for per token. */
  topLogprobsMax: 20,
  /** Texts of one forward pass of an embedding model. */
  embeddingBatchTextsMax: 32,
  /** Tokens, padding included, of one forward pass of an embedding model. */
  embeddingBatchTokensMax: 4_096,
  /** Jobs a miner may have under way; its own capacity is at most this. */
  minerJobsMax: 1_024,
  /** Ended jobs a miner's state keeps, so that a repeated message finds them ended. */
  minerEndedJobsKept: 256,
  /** Models a node may say it serves. */
  nodeModelsMax: 256,
  /** Validations a validator may have under way; one more is refused as `validator_busy`. */
  validatorOpenMax: 1_024,
  /** Ended validations a validator's state keeps. */
  validatorEndedKept: 256,
  /** Unfinished tasks an oracle watches; one more is refused as `oracle_busy` and left to the other oracles. */
  oracleWatchesMax: 16_384,
  /** Sessions whose terms an oracle remembers; tasks of others are watched by their own deadlines only. */
  oracleSessionsMax: 65_536,
  /** Ended tasks an oracle remembers, so that a repeated fact does not start them again. */
  oracleEndedKept: 4_096,
  /** Oracles that share the watch. */
  oraclesMax: 256,
  /** First wait of an oracle after the chain refused it, in milliseconds; it doubles each time. */
  oracleRetryMsMin: 1_000,
  /** Longest wait of an oracle after the chain refused it, in milliseconds. */
  oracleRetryMsMax: 60_000,
  /** Sessions that a router leads and that are not closed; one more is left to its owner, who may close it on chain. */
  routerSessionsMax: 65_536,
  /** Anchored heads a router remembers, the newest of each stream longest; a forgotten stream is anchored once more. */
  anchoredHeadsKept: 1_000_000,
  /** Commits whose order one anchor binds; what is beyond is bound by the next ones. */
  anchoredOrderCommitsMax: 32_768,
  /** Anchors a router knows to have read, so that one that follows an older one does not make it read back further. */
  anchorsKnownMax: 1_024,
  /** Times of `--anchor-every-ms` from one look of a router at whether the one with the lease anchors to the next; up to twice as many, so that not all come at once. */
  anchorOverdueTurns: 6,
  /** Shortest time between two such looks, in milliseconds: longer than the lease of a router that has died. */
  anchorOverdueMsMin: 20_000,
  /** Registered nodes, and clients, whose messages a process takes; those of later ones are dropped. */
  registryNodesMax: 65_536,
  /** Nodes a router's book holds; later ones are not selected by it. */
  routerNodesMax: 16_384,
  /** Unfinished tasks whose miners a router counts as loaded. */
  routerAssignmentsMax: 65_536,
  /** Tasks whose outcome a router remembers, so that none is counted twice. */
  routerOutcomesKept: 4_096,
  /** Tasks of one model that may wait for their miners at a router; one more is refused as `queue_full`. */
  routerWaitingTasksMax: 4_096,
  /** Shortest time after which a client that was refused for a full queue is told to come again, in milliseconds. */
  retryAfterMsMin: 1_000,
  /** Longest time after which a client that was refused for a full queue is told to come again, in milliseconds. */
  retryAfterMsMax: 30_000,
  /** How long a node is left alone after its first failure, in milliseconds; it doubles with each in a row. */
  nodeCoolDownMsMin: 5_000,
  /** Longest time a failing node is left alone, in milliseconds. */
  nodeCoolDownMsMax: 600_000,
  /** Sessions of a client that are not closed. */
  clientSessionsMax: 1_024,
  /** Unfinished tasks and deposits of one session of a client. */
  clientOpenRequestsMax: 256,
  /** Ended tasks, deposits and sessions a client's state keeps, of each. */
  clientEndedKept: 256,
  /** Values one label of a metric may have; further ones count as `other`. */
  metricLabelValuesMax: 1_024,
  /** Characters of a metric label's value; longer ones are cut. */
  metricLabelCharsMax: 128,
  /** Milliseconds the gauges may take to be read for a scrape; then those that are late keep their old values. */
  metricsReadMsMax: 2_000,
  /** Milliseconds one check of readiness may take; then it has failed. */
  readinessCheckMsMax: 2_000,
  /** Connections of the operations server. */
  opsConnectionsMax: 64,
  /** Milliseconds a request to the operations server may take to arrive. */
  opsReceiveMsMax: 5_000,
  /** Milliseconds by which the event loop may be late on the median before a process counts as stuck. */
  eventLoopLateMsMax: 1_000,
  /** Characters of a text in a log line; longer ones are cut. */
  logTextCharsMax: 8_192,
  /** Characters of log lines that wait to be written; further lines are lost. */
  logPendingCharsMax: 4_194_304,
  /** Spans that wait to be exported, beside those of the export under way; further ones are dropped. */
  tracePendingSpansMax: 8_192,
  /** Spans of one export. */
  traceBatchSpansMax: 512,
  /** Milliseconds a closing process tries to export its last spans. */
  traceFlushMsMax: 3_000,
  /** Commits, effects and transactions that metrics and traces remember, of each. */
  watchMemoryMax: 16_384,
} as const;
