/** What a metric is: its kind, what it means and the names of its labels. */
export interface MetricSpec<Kind extends 'counter' | 'gauge' | 'histogram', Label extends string> {
  readonly kind: Kind;
  /** One sentence, for `docs/metrics.md` and Prometheus. */
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  readonly buckets?: readonly number[];
}

function counter<const Label extends string = never>(
  help: string,
  labels: readonly Label[] = [],
): MetricSpec<'counter', Label> {
  return { kind: 'counter', help, labels };
}

function gauge<const Label extends string = never>(
  help: string,
  labels: readonly Label[] = [],
): MetricSpec<'gauge', Label> {
  return { kind: 'gauge', help, labels };
}

function histogram<const Label extends string = never>(
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): MetricSpec<'histogram', Label> {
  return { kind: 'histogram', help, labels, buckets };
}

/** Buckets in seconds: for what is done in memory and on the disk, … */
const quickSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** … for what waits for another process or a block, … */
const waitSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** … and for what waits for models and whole tasks. */
const longSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600];

/**
 * Every metric of pouw, in one place: what is not here cannot be recorded. Units stand last in the names, as Prometheus
 * wants them. `npm run docs` makes `docs/metrics.md` of it.
 */
export const metricCatalogue = {
  pouw_process_info: gauge('Always 1: which version runs here, in which role and as which node.', [
    'version',
    'role',
    'node',
  ]),

  pouw_commands_total: counter('Commands an actor was given, by what became of them: ok, or the code of the refusal.', [
    'role',
    'command',
    'code',
  ]),
  pouw_command_duration_seconds: histogram(
    'From a command to its stored commit or its refusal, waiting behind others included.',
    quickSeconds,
    ['role', 'command'],
  ),
  pouw_requests_total: counter('Requests of other nodes that a node has answered: ok, or the code of its refusal.', [
    'role',
    'verb',
    'code',
  ]),
  pouw_request_duration_seconds: histogram(
    'From the arrival of a request of another node to its answer.',
    waitSeconds,
    ['role', 'verb'],
  ),

  pouw_store_append_duration_seconds: histogram(
    'Appends of a commit, durable when they count, by outcome: stored, duplicate, conflict or failed.',
    quickSeconds,
    ['outcome'],
  ),
  pouw_store_events_total: counter('Events in the commits this process has stored.'),
  pouw_log_head_position: gauge('The newest position of the log that this process knows of.'),
  pouw_log_applied_position: gauge('The position up to which the slowest reader of the log in this process has come.'),
  pouw_log_refused_total: counter(
    'Messages in the log on NATS that do not count as commits, by why not, and by whose stream they lie in: a node’s own, which it alone can write to, or session.',
    ['node', 'code'],
  ),
  pouw_entries_unsound_total: counter(
    'Readings of an entry in a bucket on NATS (lease, snap, done) that nobody has signed who may write it; it counts as not there.',
    ['bucket'],
  ),
  pouw_log_lag_commits: gauge('Head of the log minus what the slowest reader has applied.'),

  pouw_effect_attempts_total: counter('Attempts to carry out an effect.', ['role', 'effect']),
  pouw_effect_failures_total: counter(
    'Attempts that failed and are made again, by code; timers, snapshots and evictions that failed count here too.',
    ['role', 'effect', 'code'],
  ),
  pouw_effect_duration_seconds: histogram('How long one attempt at an effect took, failed or not.', longSeconds, [
    'role',
    'effect',
  ]),
  pouw_effects: gauge('Effects in hand, by state: running, waiting to run, backed_off until the next attempt.', [
    'role',
    'state',
  ]),
  pouw_actors: gauge('Actors in memory.', ['role']),

  pouw_bus_published_total: counter('Messages published, by what they are.', ['kind']),
  pouw_bus_published_bytes_total: counter('Bytes of the messages published, envelopes included.', ['kind']),
  pouw_bus_received_total: counter('Messages handed to a subscriber of this process.', ['kind']),
  pouw_bus_dropped_total: counter(
    'Messages not acted upon, by why: slow_subscriber for a full buffer, sender_excess, else the code of the refusal.',
    ['kind', 'code'],
  ),
  pouw_bus_excess_total: counter('Messages of a sender beyond what is taken of one; they are dropped unread.', [
    'kind',
    'sender',
  ]),
  pouw_bus_shut_outs_total: counter('How often a sender was shut out of a subscription, because it flooded it.', [
    'kind',
    'sender',
  ]),
  pouw_bus_request_duration_seconds: histogram(
    'Requests to other nodes, from sending to the answer: ok, or the code of what came instead.',
    waitSeconds,
    ['verb', 'code'],
  ),

  pouw_chain_transactions_total: counter('Calls sent to the contracts, by outcome: ok, or the code of the failure.', [
    'call',
    'code',
  ]),
  pouw_chain_transaction_duration_seconds: histogram(
    'From a call to its receipt, waiting behind others of the account included.',
    waitSeconds,
    ['call'],
  ),
  pouw_chain_gas_used_total: counter('Gas of the mined transactions of this process.', ['call']),
  pouw_chain_head_block: gauge('The newest block of the chain that was seen.'),
  pouw_chain_follower_block: gauge('The block up to which the slowest follower has handed on all facts.'),
  pouw_chain_follower_lag_blocks: gauge(
    'Head of the chain minus what the slowest follower has handed on; waiting for confirmations is part of it.',
  ),
  pouw_chain_up: gauge('1 while the chain answers, 0 while it cannot be reached.'),
  pouw_chain_facts_total: counter('Facts of the chain that were handed on, by type.', ['fact']),
  pouw_chain_removed_facts_total: counter('Facts that a reorg has taken back.', ['fact']),

  pouw_inference_requests_total: counter(
    'Generations and embeddings, by outcome: why the answer ended (stop, length, cancelled), ok, or a code.',
    ['model', 'operation', 'outcome'],
  ),
  pouw_inference_duration_seconds: histogram(
    'From a request to the model to its last token or vector, waiting for a place included.',
    longSeconds,
    ['model', 'operation'],
  ),
  pouw_inference_first_token_seconds: histogram('From a request to the model to its first token.', longSeconds, [
    'model',
  ]),
  pouw_inference_tokens_total: counter('Tokens read (prompt) and made (output).', ['model', 'kind']),
  pouw_inference_running: gauge('Generations and embeddings that hold a place of a thread.'),
  pouw_inference_waiting: gauge('Generations and embeddings that wait for a place.'),

  pouw_content_duration_seconds: histogram(
    'Operations on content (put, get, flush), by outcome: ok, or the code of the failure.',
    waitSeconds,
    ['operation', 'code'],
  ),

  pouw_http_requests_total: counter('HTTP requests answered; status 499 where the client left before.', [
    'method',
    'route',
    'status',
  ]),
  pouw_http_request_duration_seconds: histogram(
    'From the headers of an HTTP request to the end of its answer, streams included.',
    longSeconds,
    ['method', 'route'],
  ),
  pouw_http_first_token_seconds: histogram(
    'From the headers of a streaming HTTP request to the first words of its answer.',
    longSeconds,
    ['route'],
  ),
  pouw_http_requests_open: gauge('HTTP requests of known keys under way, streams included.'),
  pouw_http_streams_open: gauge('Streams open, by protocol: sse or websocket.', ['protocol']),

  pouw_tasks_submitted_total: counter('Tasks taken up, by where they came from: router or chain.', ['source']),
  pouw_tasks_settled_total: counter('Tasks that were delivered and paid.'),
  pouw_tasks_refunded_total: counter('Tasks whose money went back, by reason.', ['reason']),
  pouw_tasks_failed_total: counter('Tasks that will not be delivered, by code; a refund follows.', ['code']),
  pouw_task_duration_seconds: histogram(
    'From the submission of a task to its end, by outcome: settled or refunded.',
    longSeconds,
    ['outcome'],
  ),
  pouw_task_tokens_total: counter('Tokens of validated answers (prompt, output): what was paid for.', ['kind']),
  pouw_task_timeouts_total: counter('Miners that an oracle found past a deadline.'),
  pouw_task_outliers_total: counter('Results that the validators found to be outliers.'),
  pouw_tasks_open: gauge('Unfinished tasks of the sessions owned here, by state; queued ones wait for miners.', [
    'state',
  ]),

  pouw_tasks_waiting: gauge('Tasks that wait for their miners at the routers of this process, by model.', ['model']),
  pouw_offers_queued: gauge(
    'Places of tasks in the queue of a model that no miner has come for, of all routers; for the models waited for here.',
    ['model'],
  ),
  pouw_router_scheduling: gauge('Always 1: how a router finds miners, preassigned or first-come.', [
    'router',
    'scheduling',
  ]),

  pouw_sessions_owned: gauge('Sessions that the routers of this process own.'),
  pouw_sessions_money_cor: gauge(
    'Money of the sessions owned here, in $COR: deposited = balance + escrowed + paid + refunded.',
    ['kind'],
  ),
  pouw_miner_reputation_ratio: gauge("A miner's score in a router's book, 0 to 1; 0.5 for a newcomer.", [
    'router',
    'miner',
  ]),
  pouw_leases_held: gauge('Leases this process holds.'),
  pouw_lease_operations_total: counter(
    'Operations on leases (acquire, renew, release), by outcome: ok, refused where somebody else holds it, or a code.',
    ['operation', 'outcome'],
  ),
} as const satisfies Readonly<Record<`pouw_${string}`, MetricSpec<'counter' | 'gauge' | 'histogram', string>>>;
