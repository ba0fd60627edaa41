import { signClaim } from '../../core/claim.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Address, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { type OfferBody, offerBody } from '../../messages/bodies.ts';
import { openMessage } from '../../messages/envelope.ts';
import { jobSubject } from '../../messages/subjects.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { JobDelivery, JobQueue } from '../../ports/job-queue.ts';
import type { NodeBase } from '../node-base.ts';

/** What takes offers for a miner. */
export interface OfferTakerOptions {
  readonly base: NodeBase;
  readonly queue: JobQueue;
  readonly models: readonly string[];
  /** Jobs the miner could take now; none while it drains. */
  readonly freePlaces: () => number;
  /** Whether it has a part of a task already. */
  readonly works: (task: TaskId) => boolean;
}

/** How often a miner without a free place looks whether it has one. */
const lookMs = 25;
/** Answers after which nobody needs the offer any more. */
const closing: ReadonlySet<string> = new Set(['offer_closed', 'task_not_found']);
/** Answers after which another router of the session is asked. */
const elsewhere: ReadonlySet<string> = new Set(['not_owner', 'no_responders', 'request_timeout', 'sender_not_allowed']);

/**
 * Takes offers from the queues of a miner's models while it has a free place, and claims each from the router that owns
 * the session. A place it was promised is kept free until the job comes.
 */
export class OfferTaker {
  readonly #options: OfferTakerOptions;
  readonly #kept = new Map<TaskId, number>();
  #work: readonly Subscription[] = [];
  #isClosed = false;

  constructor(options: OfferTakerOptions) {
    this.#options = options;
  }

  start(): void {
    const { queue, models } = this.#options;
    const ready = (): Promise<void> => this.#untilFree();
    // One at a time: with each claim the miner has a place less.
    this.#work = models.map((model) => queue.work(model, { concurrency: 1, ready }, (job) => this.#take(job)));
  }

  /** The job of a task has come: it fills the place that was kept for it. */
  arrived(task: TaskId): void {
    this.#kept.delete(task);
  }

  /** The place that was kept for a task is not wanted any more. @returns whether one was. */
  release(task: TaskId): boolean {
    return this.#kept.delete(task);
  }

  /** Whether a place is kept for a task. */
  keeps(task: TaskId): boolean {
    return this.#kept.has(task);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#work.map((one) => one.close()));
  }

  /** How many places are kept for tasks whose jobs have not come. */
  get kept(): number {
    return this.tasks().length;
  }

  /** The tasks whose jobs have not come and for which a place is kept. */
  tasks(): readonly TaskId[] {
    const now = this.#options.base.ports.clock.now();
    for (const [task, until] of this.#kept) if (until <= now) this.#kept.delete(task);
    return [...this.#kept.keys()];
  }

  /** Whether a place is free and kept for no task. */
  hasPlace(): boolean {
    return this.#options.freePlaces() > this.kept;
  }

  async #untilFree(): Promise<void> {
    const { base } = this.#options;
    while (!this.#isClosed && !base.stopping.aborted && !this.hasPlace())
      await base.ports.clock.sleep(lookMs, base.stopping).catch(() => undefined);
  }

  async #take(job: JobDelivery): Promise<void> {
    const { base, works } = this.#options;
    const offer = this.#open(job);
    if (offer === undefined) return job.term('not an offer of an active router');
    const { task, until } = offer;
    const isOver = base.ports.clock.now() >= until;
    // Somebody else's place: soon it goes to the next miner, and not for ever where all that are there have one.
    if (works(task) || this.#kept.has(task)) return isOver ? job.ack() : job.nak(limits.offerDeclinedMs);
    if (!this.hasPlace() || this.#isClosed) return job.nak(retryMs(job));
    this.#kept.set(task, base.ports.clock.now() + limits.claimedJobMsMax);
    const answer = await this.#claim(job, offer);
    if (answer === 'ok') return job.ack();
    this.#kept.delete(task);
    if (closing.has(answer)) return job.ack();
    return isOver
      ? job.term(`not claimed in its time; the last miner was refused with ${answer}`)
      : job.nak(retryMs(job));
  }

  /** The offer in a job; undefined where it is none, or of somebody who may not make any. */
  #open({ model, body }: JobDelivery): OfferBody | undefined {
    const { base } = this.#options;
    const { directory } = base.ports;
    const subject = jobSubject(model);
    try {
      const opened = openMessage(offerBody, subject, body, directory.keyOf);
      if (directory.isActive(opened.from, 'router')) return opened.body;
      base.drop('sender_not_allowed', subject, `${opened.from} is no active router`);
    } catch (error) {
      base.drop(errorCode(error), subject, error);
    }
    return undefined;
  }

  /** Claims a place. @returns `ok`, or the code of the refusal: of the last router where none owns the session. */
  async #claim(job: JobDelivery, { session, task, place, routers }: OfferBody): Promise<string> {
    const { base } = this.#options;
    const { id: offer } = job;
    const { address: miner, signer } = base.identity;
    const signature = signClaim({ session, task, place, offer, miner }, signer);
    const body = { session, task, place, offer, signature };
    let code = '';
    for (const router of routers) {
      code = await this.#ask(router, `claim:${offer}`, body);
      if (!elsewhere.has(code)) break;
      await job.working();
    }
    return code;
  }

  async #ask(router: Address, id: string, body: Parameters<NodeBase['command']>[4]): Promise<string> {
    const { base } = this.#options;
    try {
      await base.command('router', router, 'claim', id, body);
      return 'ok';
    } catch (error) {
      base.ports.log.debug('a claim was not taken', { router, code: errorCode(error), error: errorMessage(error) });
      return errorCode(error);
    }
  }
}

/** An offer that a miner may not have goes to others, ever later the more often that happens. */
function retryMs({ attempt }: JobDelivery): number {
  return Math.min(limits.offerRetryMsMin * 2 ** (attempt - 1), limits.offerRetryMsMax);
}
