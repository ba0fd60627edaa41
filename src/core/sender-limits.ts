/**
 * What a process takes from one sender, on each of its subscriptions: a number of messages at once, and so many a second
 * after that. More is dropped unread, so that it costs others nothing. A part of `limits`, where they are used.
 */
export const senderLimits = {
  /** Senders a subscription remembers, to bound each; the oldest is forgotten first. */
  busSendersKept: 65_536,
  /** How often who sends too much is counted and told of, in milliseconds. */
  busExcessMs: 1_000,
  /** Messages beyond its bound, in `busExcessMs`, after which the server is asked for no more messages of a sender. */
  busShutOutAfter: 1_000,
  /** How long nothing is taken of a sender that was shut out, in milliseconds. */
  busShutOutMs: 10_000,
  /** Senders that are subscribed to one by one while another is shut out; with more of them, nobody is. */
  busSendersApartMax: 4_096,
  /** Heartbeats of one node that are taken a second; it beats twice. */
  heartbeatsPerS: 4,
  /** Heartbeats of one node that are taken at once, after a time in which nothing was. */
  heartbeatsAtOnceMax: 32,
  /** Chunks of one miner that are taken a second, in one session. */
  tokenChunksPerS: 1_000,
  /** Chunks of one miner that are taken at once, in one session. */
  tokenChunksAtOnceMax: 8_192,
  /** How long a chunk of a miner that the log has not named yet is kept until it does, in milliseconds. */
  earlyChunkMs: 3_000,
  /** Such chunks that one subscription keeps. */
  earlyChunksMax: 512,
  /** Such chunks that one subscription keeps of one miner. */
  earlyChunksOfOneMax: 128,
  /** Bytes of such chunks that one subscription keeps. */
  earlyChunkBytesMax: 1_048_576,
  /** Commands of a kind that are taken of one node a second. */
  commandsPerS: 500,
  /** Commands of a kind that are taken of one node at once. */
  commandsAtOnceMax: 2_000,
  /** Tasks and cancellations of one router that another has under way, and as many requests to keep prompts; one more is answered `router_busy`. */
  forwardedWritesOfOneMax: 64,
  /** Wants of blocks, offers and questions for a part, each, that are taken of one process a second. */
  blockMessagesPerS: 500,
  /** Wants of blocks, offers and questions for a part, each, that are taken of one process at once. */
  blockMessagesAtOnceMax: 1_000,
  /** Dropped messages that a node logs one by one in a second; of more it says how many. */
  droppedLogLinesPerS: 10,
  /** Entries of buckets that do not count and that a process logs in a second; of more it says how many. */
  unsoundLogLinesPerS: 1,
} as const;
