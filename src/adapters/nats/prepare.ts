import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { limits } from '../../core/limits.ts';
import { subjectRoot } from '../../messages/subjects.ts';
import { deadJobStream, jobBounds, jobConsumerConfig, jobStream } from './jobs/job-streams.ts';
import { bucketStream } from './kv/bucket.ts';
import { declareStream, eventStreamConfig } from './store/event-stream.ts';
import { natsNames } from './store/names.ts';

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
 * with what is wanted, so it does no harm to do it again. Nodes may make what is missing too, where their keys allow it.
 *
 * @throws PouwError `nats_config_ignored`.
 */
export async function prepareNatsNetwork(options: NatsNetworkOptions): Promise<void> {
  const { connection, replicas = 1, models = [] } = options;
  const names = natsNames(options.root ?? subjectRoot);
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: limits.logAnswerMsMax });
  const bounds = jobBounds({ replicas });
  const wanted = [
    eventStreamConfig(names, replicas),
    jobStream(names, bounds),
    deadJobStream(names, bounds),
    ...(['lease', 'snap', 'done'] as const).map((bucket) => bucketStream(names.bucket(bucket), replicas)),
    bucketStream(names.bucket('node'), replicas, limits.presenceMs),
  ];
  for (const stream of wanted) await declareStream(manager, stream);
  for (const model of models) await manager.consumers.add(names.jobs, jobConsumerConfig(names, model, bounds));
}
