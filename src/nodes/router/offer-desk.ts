import type { RouterContext } from '../../../actors/router/context.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import { freePlaces } from '../../../actors/task/claims.ts';
import type { StandingClaim, TaskContext } from '../../../actors/task/context.ts';
import { present } from '../../core/assert.ts';
import { isClaimSigned } from '../../core/claim.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { Address, SessionId, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import { allowedFor } from '../../core/session-terms.ts';
import type { ClaimBody, OfferBody } from '../../messages/bodies.ts';
import { sealMessage } from '../../messages/envelope.ts';
import { jobSubject } from '../../messages/subjects.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { Presence } from '../presence.ts';
import { eligible } from './eligible.ts';
import type { SessionRuntime } from './session-effects.ts';

/** What an offer desk stands on. */
export interface OfferDeskOptions {
  readonly runtime: SessionRuntime;
  readonly queue: JobQueue;
  readonly presence: Presence;
  readonly book: () => Promise<RouterContext>;
  readonly owns: (session: SessionId) => boolean;
  /** Told whether the queue of a model took the newest offer. */
  readonly onQueue: (model: string, isFull: boolean) => void;
}

/**
 * First come, first served: offers the places of waiting tasks in the queues of their models, and takes the claims of
 * miners. What is claimed is in the session's log, so that whoever owns the session next goes on from there.
 */
export class OfferDesk {
  readonly #options: OfferDeskOptions;
  /** The newest offer of each place that this process has made, so that the wait for a claim does not make it anew. */
  readonly #made = new Recent<string, MadeOffer>(limits.offersKept);

  constructor(options: OfferDeskOptions) {
    this.#options = options;
  }

  /**
   * Resolves where every place of a task is claimed by a miner that is there; else it sees to it that those which are
   * not are offered.
   *
   * @throws PouwError `places_unclaimed` as {@link NotYet}, `queue_full`.
   */
  async gather(session: SessionId, task: TaskId, cause: string): Promise<void> {
    const { runtime } = this.#options;
    for (const { miner } of (await this.#task(session, task))?.context.claims ?? []) {
      const reason = await this.#whyGone(session, task, miner);
      if (reason === undefined) continue;
      await runtime.dispatch(session, { type: 'LapseClaim', task, miner, reason }, cause);
      this.#release(task, miner, cause);
    }
    const { context } = await runtime.session(session);
    const folded = taskOf(context, task);
    const free = folded === undefined ? [] : freePlaces(folded);
    if (folded === undefined || free.length === 0) return;
    for (const place of free) await this.#offer(session, context, folded.context, place);
    const { redundancy, model } = folded.context;
    throw new NotYet('places_unclaimed', `${free.length} of the ${redundancy} places of ${task} are not claimed.`, {
      class: 'unavailable',
      why: `No miner of ${model} with a free place has come for them yet.`,
    });
  }

  /**
   * Takes a miner's claim: the first one of each place has it.
   *
   * @throws PouwError `not_owner`, `claim_wrong_signature`, `miner_not_fit`, and what the session refuses.
   */
  async claim(miner: Address, body: ClaimBody, cause: string): Promise<void> {
    const { runtime, owns } = this.#options;
    const { session, task, place, offer, signature } = body;
    if (!owns(session)) {
      throw new PouwError('not_owner', `The session ${session} is not owned here.`, {
        class: 'unavailable',
        hint: 'Another of its routers owns it.',
      });
    }
    const key = runtime.base.ports.directory.keyOf(miner);
    if (key === undefined || !isClaimSigned({ session, task, place, offer, miner }, key, signature)) {
      throw new PouwError('claim_wrong_signature', `The claim does not carry the signature of ${miner}.`, {
        class: 'unauthorised',
      });
    }
    const folded = await this.#task(session, task);
    if (folded !== undefined && freePlaces(folded).includes(place) && !(await this.#isFit(session, folded, miner))) {
      throw new PouwError('miner_not_fit', `${miner} gets no place of task ${task} now.`, {
        class: 'forbidden',
        why: 'It is silent, drains, does not serve the model, or has failed a short time ago.',
      });
    }
    await runtime.dispatch(session, { type: 'ClaimOffer', task, miner, place, offer, signature }, cause);
  }

  /** Offers of a model that nobody has come for, of all routers. */
  queued(model: string): Promise<number> {
    return this.#options.queue.size(model);
  }

  async #task(session: SessionId, task: TaskId): Promise<Folded<TaskContext> | undefined> {
    return taskOf((await this.#options.runtime.session(session)).context, task);
  }

  /** Whether a miner may have a place: it would be a candidate of a draw, too. How busy it is, it knows best. */
  async #isFit(session: SessionId, { context }: Folded<TaskContext>, miner: Address): Promise<boolean> {
    const { runtime, book, presence } = this.#options;
    const terms = present((await runtime.session(session)).context.terms, 'terms');
    const [model, now] = [context.model, runtime.base.ports.clock.now()];
    const allowed = allowedFor(context.dedicated, terms);
    const query = { role: 'miner', model, allowed, exclude: context.timedOut, now } as const;
    return eligible({ book: await book(), presence }, query, context.redundancy).some(({ node }) => node === miner);
  }

  /** Why a claim stands no longer; undefined where it does. A miner that waits in vain for others may leave. */
  async #whyGone(session: SessionId, task: TaskId, miner: Address): Promise<string | undefined> {
    const { runtime, presence } = this.#options;
    const folded = await this.#task(session, task);
    const claim = folded?.context.claims.find((one) => one.miner === miner);
    if (folded === undefined || claim === undefined || folded.context.selected) return undefined;
    const now = runtime.base.ports.clock.now();
    if (!presence.takesWork(miner, now)) return 'silent';
    return freePlaces(folded).length > 0 && isHeldTooLong(claim, now) ? 'others did not come' : undefined;
  }

  /** Lets a miner have the place back that it keeps for a task. One that does not hear it waits until its time is over. */
  #release(task: TaskId, miner: Address, cause: string): void {
    const { base } = this.#options.runtime;
    base.command('miner', miner, 'cancel', `lapse:${cause}`, { task, attempt: 0 }).catch((error: unknown) => {
      base.ports.log.debug('a miner was not told that its claim has lapsed', { miner, error: errorMessage(error) });
    });
  }

  /** Whether the offer of a place that was made last may still be claimed by somebody who is free. */
  async #stands(made: MadeOffer | undefined, model: string, round: Round): Promise<boolean> {
    if (made === undefined) return false;
    if (made.round === round.number || round.now - made.at < round.lastsMs) return true;
    // Miners that are all busy take none: the offer has its turn, and another one behind it would help nobody.
    return round.now - made.at < limits.offerRoundMsMax && (await this.#options.queue.isUntouched(model, made.id));
  }

  /** Publishes the offer of a place. Its id follows from the state and the time, so that a repeated effect repeats it. */
  async #offer(session: SessionId, context: SessionContext, of: TaskContext, place: number): Promise<void> {
    const { runtime, queue, onQueue } = this.#options;
    const { identity, ports } = runtime.base;
    const { task, model, selections, reoffered, expiresAt } = of;
    const terms = present(context.terms, 'terms');
    const round = roundAt(ports.clock.now(), expiresAt, terms.queueTimeoutS * 1_000);
    const which = [task, selections, place, reoffered[String(place)] ?? 0].join('.');
    if (await this.#stands(this.#made.get(which), model, round)) return;
    const offer = `${which}.${round.number}`;
    const others = terms.routers.filter((router) => router !== identity.address);
    const routers = [identity.address, ...others].slice(0, limits.sessionRoutersMax);
    const body: OfferBody = { session, task, place, routers, until: round.now + 2 * round.lastsMs };
    const sealed = sealMessage(jobSubject(model), offer, identity.address, body, identity.signer);
    try {
      await queue.publish(model, offer, sealed);
    } catch (error) {
      if (error instanceof PouwError && error.code === 'queue_full') onQueue(model, true);
      throw error;
    }
    onQueue(model, false);
    this.#made.set(which, { id: offer, round: round.number, at: round.now });
  }
}

/** An offer that was made. */
interface MadeOffer {
  readonly id: string;
  readonly round: number;
  readonly at: number;
}

/** A part of a task's time in the queue. */
interface Round {
  readonly now: number;
  /** Counts down to 0. */
  readonly number: number;
  readonly lastsMs: number;
}

function roundAt(now: number, expiresAt: number, queueMs: number): Round {
  const share = queueMs / limits.offerRoundsPerQueueTime;
  const lastsMs = Math.min(Math.max(share, limits.offerRoundMsMin), limits.offerRoundMsMax);
  return { now, number: Math.floor(Math.max(0, expiresAt - now) / lastsMs), lastsMs };
}

function isHeldTooLong({ at }: StandingClaim, nowMs: number): boolean {
  return nowMs - at >= limits.claimHoldMs;
}
