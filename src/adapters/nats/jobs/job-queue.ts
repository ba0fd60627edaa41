import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { errorMessage } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { deadJobSubject, encodeToken, jobSubject, subjectRoot } from '../../../messages/subjects.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Subscription } from '../../../ports/event-store.ts';
import { checkConcurrency, checkJob, keptReason, queueClosed, queueFull } from '../../../ports/job-checks.ts';
import type { DeadJob, JobDelivery, JobQueue, WorkOptions } from '../../../ports/job-queue.ts';
import { requireEcho } from '../config-echo.ts';
import { isForbidden } from '../nats-errors.ts';
import { type NatsNames, natsNames } from '../store/names.ts';
import { isConsumerThere, isStoreFull } from '../store/nats-errors.ts';
import { openStreams } from '../store/open-streams.ts';
import type { Reach } from '../store/reach.ts';
import { StreamReader } from '../store/stream-reader.ts';
import { deadJobFromText, deadJobToText, fitForDead } from './dead-letter.ts';
import {
  deadJobStream,
  type JobBounds,
  jobBounds,
  jobConsumerConfig,
  jobConsumerName,
  jobStream,
} from './job-streams.ts';
import { HandedOut } from './handed-out.ts';
import { JobWorker } from './job-worker.ts';
import { streamsClient } from '../streams-api.ts';

/** How to open the queues of jobs on NATS. */
export interface NatsJobQueueOptions {
  /** Stays open when the queues are closed. */
  readonly connection: NatsConnection;
  readonly clock: Clock;
  /** The root of the subjects. Default `pouw.v1`. */
  readonly root?: string;
  /** Servers that keep each job. Default 1. */
  readonly replicas?: number;
  /** Default `limits.queuedJobsMax`; the same for all that open the queues. */
  readonly jobsMax?: number;
  /** Default `limits.jobAckWaitMs`; the same for all that open the queues. */
  readonly ackWaitMs?: number;
  /** Default `limits.jobDeliveriesMax`. */
  readonly deliveriesMax?: number;
  /**
   * Whether it makes the consumers of models that have none. Default true; false for a key that may not, which leaves it to
   * those who publish the jobs.
   */
  readonly makesConsumers?: boolean;
  /** How long servers that do not answer are tried to be reached, in milliseconds. Default `limits.logReachMsMax`. */
  readonly reachMs?: number;
  /** Told of what handlers throw, and of jobs that cannot be had; default a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Opens the queues of jobs: one work queue of JetStream, with a durable consumer for each model.
 *
 * @throws PouwError `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsJobQueue(options: NatsJobQueueOptions): Promise<JobQueue> {
  const { connection } = options;
  const names = natsNames(options.root ?? subjectRoot);
  const bounds = jobBounds(options);
  const wanted = [jobStream(names, bounds), deadJobStream(names, bounds)];
  const { reach, manager } = await openStreams(connection, options.reachMs, wanted);
  return new NatsJobQueue(options, { names, reach, manager, bounds });
}

/** What an open queue stands on. */
interface Foundation {
  readonly names: NatsNames;
  readonly reach: Reach;
  readonly manager: JetStreamManager;
  readonly bounds: JobBounds;
}

class NatsJobQueue implements JobQueue {
  readonly #options: NatsJobQueueOptions;
  readonly #base: Foundation;
  readonly #client: JetStreamClient;
  readonly #dead: StreamReader;
  readonly #handedOut: HandedOut;
  readonly #workers = new Set<JobWorker>();
  /** The models whose consumer is known to be there. */
  readonly #consumers = new Set<string>();
  readonly #onError: (error: unknown) => void;
  #isClosed = false;

  constructor(options: NatsJobQueueOptions, base: Foundation) {
    this.#options = options;
    this.#base = base;
    this.#client = streamsClient(options.connection);
    this.#onError = options.onError ?? ((error) => process.emitWarning(errorMessage(error)));
    const { manager, names, reach } = base;
    this.#handedOut = new HandedOut(options.clock, async (model) => {
      const info = await reach.answer(() => manager.consumers.info(names.jobs, jobConsumerName(model)));
      return info.delivered.stream_seq;
    });
    this.#dead = new StreamReader({ connection: options.connection, manager, stream: names.deadJobs, reach });
  }

  async publish(model: string, id: string, body: Uint8Array): Promise<'queued' | 'duplicate'> {
    checkJob(model, id, body);
    this.#requireOpen();
    await this.#makeConsumer(model);
    const { names, reach, bounds } = this.#base;
    const msgID = `${encodeToken(model)}:${id}`;
    let wasSent = false;
    try {
      const { duplicate, seq } = await reach.answer((timeout, again) => {
        wasSent = again;
        return this.#client.publish(jobSubject(model, names.root), body, { msgID, timeout });
      });
      this.#handedOut.published(msgID, seq);
      return duplicate && !wasSent ? 'duplicate' : 'queued';
    } catch (error) {
      throw isStoreFull(error) ? queueFull(model, bounds.jobsMax) : error;
    }
  }

  work(
    model: string,
    { concurrency, ready }: WorkOptions,
    handler: (job: JobDelivery) => void | Promise<void>,
  ): Subscription {
    checkConcurrency(concurrency);
    this.#requireOpen();
    const { connection, deliveriesMax = limits.jobDeliveriesMax } = this.#options;
    const { names, reach, bounds } = this.#base;
    const worker = new JobWorker({
      connection,
      reach,
      stream: names.jobs,
      consumer: jobConsumerName(model),
      model,
      concurrency,
      ready,
      ackWaitMs: bounds.ackWaitMs,
      deliveriesMax,
      handler,
      makeConsumer: () => {
        this.#consumers.delete(model);
        return this.#makeConsumer(model);
      },
      bury: (job, attempts, reason, key) => this.#bury({ ...job, model, attempts }, reason, key),
      onError: this.#onError,
      onClose: () => this.#workers.delete(worker),
    });
    this.#workers.add(worker);
    return { close: () => worker.close() };
  }

  isUntouched(model: string, id: string): Promise<boolean> {
    return this.#handedOut.isUntouched(model, `${encodeToken(model)}:${id}`);
  }

  async size(model: string): Promise<number> {
    const { manager, names, reach } = this.#base;
    const subject = jobSubject(model, names.root);
    const { state } = await reach.answer(() => manager.streams.info(names.jobs, { subjects_filter: subject }));
    return state.subjects?.[subject] ?? 0;
  }

  async *dead(model: string): AsyncIterable<DeadJob> {
    const subject = deadJobSubject(model, this.#base.names.root);
    let from = 1;
    for (;;) {
      const page = await this.#dead.page({ from, subject });
      if (page.length === 0) return;
      for (const { data, position } of page) {
        from = position + 1;
        const job = deadJobFromText(data);
        if (job !== undefined) yield job;
      }
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    this.#base.reach.close();
  }

  async #bury(job: Pick<DeadJob, 'id' | 'model' | 'body' | 'attempts'>, reason: string, key: string): Promise<void> {
    const { names, reach } = this.#base;
    const dead = { ...fitForDead(job), reason: keptReason(reason), at: this.#options.clock.now() };
    // The key is the job's place in its queue: one that was buried and not taken out is buried once all the same.
    const msgID = `${key}:${dead.id}`;
    await reach.answer((timeout) =>
      this.#client.publish(deadJobSubject(job.model, names.root), deadJobToText(dead), { msgID, timeout }),
    );
  }

  /** Makes the consumer of a model, once. Whose key may not leaves it to those who publish the jobs. */
  async #makeConsumer(model: string): Promise<void> {
    if (this.#options.makesConsumers === false || this.#consumers.has(model)) return;
    const { manager, names, reach, bounds } = this.#base;
    const config = jobConsumerConfig(names, model, bounds);
    try {
      await reach.answer(() => manager.consumers.add(names.jobs, config));
      this.#consumers.add(model);
    } catch (error) {
      if (isForbidden(error)) return;
      if (!isConsumerThere(error)) throw error;
      const there = await reach.answer(() => manager.consumers.info(names.jobs, config.durable_name));
      requireEcho(`the consumer ${there.name}`, config, there.config);
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw queueClosed();
  }
}
