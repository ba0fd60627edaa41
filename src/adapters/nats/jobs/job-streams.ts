import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { sha256 } from '../../../core/hash.ts';
import { limits } from '../../../core/limits.ts';
import { encodeToken, jobSubject } from '../../../messages/subjects.ts';
import type { WantedStream } from '../store/event-stream.ts';
import type { NatsNames } from '../store/names.ts';

/** The longest name of a consumer that every server and file system takes. */
const consumerNameMax = 128;

/** Bounds of the queues. */
export interface JobBounds {
  readonly replicas: number;
  readonly jobsMax: number;
  readonly ackWaitMs: number;
}

/** Bounds with the defaults where they are left out. */
export function jobBounds(given: { readonly [Bound in keyof JobBounds]?: number | undefined }): JobBounds {
  return {
    replicas: given.replicas ?? 1,
    jobsMax: given.jobsMax ?? limits.queuedJobsMax,
    ackWaitMs: given.ackWaitMs ?? limits.jobAckWaitMs,
  };
}

/**
 * The jobs that wait: a job leaves the stream when it is settled, and each model has its own bound, so that one that
 * is asked for too much does not keep the others from being asked.
 */
export function jobStream(names: NatsNames, { replicas, jobsMax }: JobBounds): WantedStream {
  return {
    name: names.jobs,
    description: 'Jobs for miners, one subject per model.',
    subjects: [`${names.root}.job.*`],
    storage: StorageType.File,
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: jobsMax,
    max_age: 0,
    allow_direct: true,
    duplicate_window: nanos(limits.jobDuplicateWindowMs),
    num_replicas: replicas,
  };
}

/** The jobs that nobody could do, the newest of each model. */
export function deadJobStream(names: NatsNames, { replicas }: JobBounds): WantedStream {
  return {
    name: names.deadJobs,
    description: 'Jobs that nobody could do, one subject per model.',
    subjects: [`${names.root}.dead.*`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs_per_subject: limits.deadJobsKept,
    max_age: 0,
    allow_direct: true,
    duplicate_window: nanos(limits.jobDuplicateWindowMs),
    num_replicas: replicas,
  };
}

/** The name of the consumer from which all workers of a model take their jobs: the model as a token, cut if need be. */
export function jobConsumerName(model: string): string {
  const token = encodeToken(model);
  if (token.length <= consumerNameMax) return token;
  return `${token.slice(0, consumerNameMax - 17)}-${sha256(model).slice(0, 16)}`;
}

/**
 * The consumer of a model. The server hands a job out without end: how often is enough is counted by the workers,
 * who put it aside as dead; a server would only stop, and leave it in the queue.
 */
export function jobConsumerConfig(
  names: NatsNames,
  model: string,
  { ackWaitMs }: JobBounds,
): Partial<ConsumerConfig> & { readonly durable_name: string } {
  return {
    durable_name: jobConsumerName(model),
    filter_subject: jobSubject(model, names.root),
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_deliver: -1,
    max_ack_pending: limits.jobsUnderWayMax,
    max_waiting: limits.jobsUnderWayMax,
  };
}
