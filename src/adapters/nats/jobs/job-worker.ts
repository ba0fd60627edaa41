import { setTimeout as sleep } from 'node:timers/promises';
import { errors, type Msg, type NatsConnection, nanos } from 'nats';
import { limits } from '../../../core/limits.ts';
import { triedTooOften } from '../../../ports/job-checks.ts';
import type { JobDelivery } from '../../../ports/job-queue.ts';
import type { Reach } from '../store/reach.ts';
import { mayPass } from '../store/nats-errors.ts';
import { streamsApi } from '../streams-api.ts';
import { deliveryIn, isOfStream } from '../ack-subject.ts';
import { asked } from '../asked.ts';

/** What a {@link JobWorker} is made of. */
export interface JobWorkerOptions {
  readonly connection: NatsConnection;
  readonly reach: Reach;
  readonly stream: string;
  readonly consumer: string;
  readonly model: string;
  readonly concurrency: number;
  /** Waited for before each question for a job. */
  readonly ready: (() => Promise<void>) | undefined;
  readonly ackWaitMs: number;
  readonly deliveriesMax: number;
  readonly handler: (job: JobDelivery) => void | Promise<void>;
  /** Makes the consumer where it is missing and may be made. */
  readonly makeConsumer: () => Promise<void>;
  /** Keeps a job among the dead. */
  readonly bury: (
    job: Pick<JobDelivery, 'id' | 'body'>,
    attempts: number,
    reason: string,
    key: string,
  ) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onClose: () => void;
}

const noResponders = 503;
/** How long a worker waits after a question that was refused; it doubles with each in a row. */
const pauseMsMin = 200;
const pauseMsMax = 3_200;

/**
 * Takes jobs of a model one at a time in each of its hands. A hand asks for the next job when the one before is
 * settled, or its time is over; so nothing waits here that another worker could do.
 */
export class JobWorker {
  readonly #options: JobWorkerOptions;
  readonly #handlers = new Set<Promise<void>>();
  readonly #hands: Promise<unknown>;
  #isClosed = false;

  constructor(options: JobWorkerOptions) {
    this.#options = options;
    this.#hands = Promise.all(Array.from({ length: options.concurrency }, () => this.#hand())).finally(options.onClose);
  }

  /** Resolves when no handler runs and no job can come any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#handlers, this.#hands]);
  }

  async #hand(): Promise<void> {
    let pauseMs = pauseMsMin;
    while (!this.#isClosed) {
      try {
        await this.#options.ready?.();
        if (this.#isClosed) return;
        const message = await this.#pull();
        if (message !== undefined) await this.#take(message);
        pauseMs = pauseMsMin;
      } catch (error) {
        if (this.#options.connection.isClosed()) return;
        if (!mayPass(error)) this.#options.onError(error);
        await sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, pauseMsMax);
      }
    }
  }

  /** Asks for one job. */
  async #pull(): Promise<Msg | undefined> {
    const { connection, stream, consumer, makeConsumer } = this.#options;
    const next = `${streamsApi(connection)}.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    const one = JSON.stringify({ batch: 1, expires: nanos(limits.jobPullMs) });
    try {
      // The server ends the question first, so that no job is sent to a place where nobody looks any more.
      for await (const message of asked(connection, next, one, 2 * limits.jobPullMs)) {
        if (isOfStream(message)) return message;
        if (message.headers?.code === noResponders) throw new errors.NoRespondersError(message.subject);
        return undefined;
      }
      return undefined;
    } catch (error) {
      if (mayPass(error)) await makeConsumer();
      throw error;
    }
  }

  /** Has a job done; resolves when the hand is free again. */
  async #take(message: Msg): Promise<void> {
    const { model, bury, deliveriesMax } = this.#options;
    const { attempt, sequence: key } = deliveryIn(message.reply ?? '');
    const id = idIn(message);
    const body = message.data;
    if (this.#isClosed) return this.#settle(message, '-NAK');
    if (attempt > deliveriesMax) {
      await bury({ id, body }, attempt - 1, triedTooOften(attempt - 1), key);
      return this.#settle(message, '+TERM');
    }
    const time = new HandTime(this.#options.ackWaitMs);
    let isSettled = false;
    const once = async (settle: () => Promise<void>): Promise<void> => {
      if (isSettled) return;
      isSettled = true;
      await settle().finally(() => time.end());
    };
    const delivery: JobDelivery = {
      id,
      model,
      body,
      attempt,
      ack: () => once(() => this.#settle(message, '+ACK')),
      nak: (delayMs = 0) =>
        once(() => this.#settle(message, delayMs > 0 ? `-NAK {"delay":${nanos(delayMs)}}` : '-NAK')),
      working: async () => {
        if (isSettled) return;
        time.begin();
        await this.#settle(message, '+WPI');
      },
      term: (reason) =>
        once(async () => {
          await bury({ id, body }, attempt, reason, key);
          await this.#settle(message, '+TERM');
        }),
    };
    const handled = this.#handle(delivery).finally(() => this.#handlers.delete(handled));
    this.#handlers.add(handled);
    await time.over;
  }

  async #handle(delivery: JobDelivery): Promise<void> {
    try {
      await this.#options.handler(delivery);
    } catch (error) {
      this.#options.onError(error);
      await delivery.nak().catch(this.#options.onError);
    }
  }

  /** Tells the server what became of a job, and waits until it knows. */
  async #settle(message: Msg, what: string): Promise<void> {
    await this.#options.reach.answer((timeout) =>
      this.#options.connection.request(message.reply ?? '', what, { timeout }),
    );
  }
}

/** The time a hand keeps a job: until it is settled, or until the server takes it for lost. */
class HandTime {
  readonly over: Promise<void>;
  readonly #ackWaitMs: number;
  #end: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(ackWaitMs: number) {
    this.#ackWaitMs = ackWaitMs;
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.begin();
  }

  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), this.#ackWaitMs);
    // It only frees a hand; a process that has nothing else to do may end.
    this.#timer.unref();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#end();
  }
}

/** The id of a job: what follows its model's token in the id of its message. */
function idIn({ headers }: Msg): string {
  const id = headers?.get('Nats-Msg-Id') ?? '';
  return id.slice(id.indexOf(':') + 1);
}
