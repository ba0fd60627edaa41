import type { NatsConnection } from 'nats';
import { PouwError } from '../../core/errors.ts';
import type { Role } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { subjectRoot } from '../../messages/subjects.ts';
import { deadJobStream, jobBounds, jobConsumerConfig, jobStream } from './jobs/job-streams.ts';
import { bucketStream } from './kv/bucket.ts';
import { forbidden, refusalIn, unreachable } from './nats-errors.ts';
import { declareStream, eventStreamConfig, requireStream, type WantedStream } from './store/event-stream.ts';
import { type NatsNames, natsNames } from './store/names.ts';
import { isStreamMissing, mayPass } from './store/nats-errors.ts';
import { Reach } from './store/reach.ts';
import { streamsManager } from './streams-api.ts';

/** What a network needs on NATS before its nodes come. */
export interface NatsNetworkOptions {
  /** Of somebody who may make streams: an operator. */
  readonly connection: NatsConnection;
  /** The root of the subjects. Default `pouw.v1`. */
  readonly root?: string;
  /** Servers that keep each thing. Default 1. */
  readonly replicas?: number;
  /** The models whose queues are to be there; others are made by the routers that use them. */
  readonly models?: readonly string[];
}

/**
 * Makes everything a network keeps on NATS: the log, the buckets, the queues of jobs. What is there already is compared
 * with what is wanted, so it does no harm to do it again.
 *
 * @throws PouwError `nats_config_ignored`, `nats_forbidden`, `nats_unreachable` where the servers cannot do it yet.
 */
export async function prepareNatsNetwork(options: NatsNetworkOptions): Promise<void> {
  const { connection, replicas = 1, models = [] } = options;
  const names = natsNames(options.root ?? subjectRoot);
  const manager = await streamsManager(connection, limits.logAnswerMsMax);
  const bounds = jobBounds({ replicas });
  const explain = (error: unknown): unknown => explained(error, names.log, connection.getServer());
  const asError = (error: unknown): Error => unreachable([connection.getServer()], error);
  // Servers that have just found each other may not have a leader for each stream yet.
  const reach = new Reach(connection, {
    reachMs: limits.logReachMsMax,
    answerMs: limits.logAnswerMsMax,
    unreachable: (_waitedMs, cause) => asError(cause),
    closed: asError,
    explain,
  });
  try {
    for (const stream of [...keptByAll(names, replicas), ...keptByRouters(names, replicas)])
      await reach.answer(() => declareStream(manager, stream));
    for (const model of models)
      await reach.answer(() => manager.consumers.add(names.jobs, jobConsumerConfig(names, model, bounds)));
  } finally {
    reach.close();
  }
}

/** Who looks whether a network is prepared. */
export interface NatsNetworkCheck extends Pick<NatsNetworkOptions, 'connection' | 'root' | 'replicas'> {
  readonly role: Role;
}

/**
 * Looks whether everything a node of a role needs on NATS is there and as it is wanted; makes nothing.
 *
 * @throws PouwError `nats_not_prepared` (unavailable: somebody may do it later), `nats_config_ignored`, `nats_forbidden`.
 */
export async function requireNatsNetwork(options: NatsNetworkCheck): Promise<void> {
  const { connection, replicas = 1, role } = options;
  const names = natsNames(options.root ?? subjectRoot);
  const manager = await streamsManager(connection, limits.logAnswerMsMax);
  const wanted = [...keptByAll(names, replicas), ...(role === 'router' ? keptByRouters(names, replicas) : [])];
  const looks = wanted.map(async (stream) => {
    try {
      await requireStream(manager, stream);
    } catch (error) {
      throw explained(error, stream.name, connection.getServer());
    }
  });
  // Side by side, but of several that are missing always the same one is named.
  for (const look of await Promise.allSettled(looks)) if (look.status === 'rejected') throw look.reason;
}

/**
 * How many servers keep each commit, as the log that is there says: for those who only look.
 *
 * @throws PouwError `nats_not_prepared`, `nats_forbidden`.
 */
export async function natsReplicas(connection: NatsConnection, root: string = subjectRoot): Promise<number> {
  const { log } = natsNames(root);
  const manager = await streamsManager(connection, limits.logAnswerMsMax);
  try {
    return (await manager.streams.info(log)).config.num_replicas;
  } catch (error) {
    throw explained(error, log, connection.getServer());
  }
}

/** What every node reads or writes. */
function keptByAll(names: NatsNames, replicas: number): WantedStream[] {
  return [
    eventStreamConfig(names, replicas),
    ...(['lease', 'snap', 'done'] as const).map((bucket) => bucketStream(names.bucket(bucket), replicas)),
    bucketStream(names.bucket('node'), replicas, limits.presenceMs),
  ];
}

/** What routers give out, and miners take from the queues they serve. */
function keptByRouters(names: NatsNames, replicas: number): WantedStream[] {
  const bounds = jobBounds({ replicas });
  return [jobStream(names, bounds), deadJobStream(names, bounds)];
}

function explained(error: unknown, stream: string, server: string): unknown {
  if (isStreamMissing(error)) {
    return new PouwError('nats_not_prepared', `The NATS servers do not have the stream ${stream} yet.`, {
      class: 'unavailable',
      why: 'Nodes may not make streams: their keys let them use what is there.',
      hint: 'Run `pouw nats-prepare` once with the key of an operator.',
      cause: error,
    });
  }
  const refusal = refusalIn(error);
  if (refusal !== undefined) return forbidden(refusal).error;
  return mayPass(error) ? unreachable([server], error) : error;
}
