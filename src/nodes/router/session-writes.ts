import { errorCode, PouwError } from '../../core/errors.ts';
import type { Address, Cid, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { type CancelTaskBody, doneReply, submitReply } from '../../messages/bodies.ts';
import type { LogIndex } from '../log-index.ts';
import type { NodeBase } from '../node-base.ts';
import type { CopyDesk } from './copies/copy-desk.ts';
import type { SessionOwnership } from './ownership.ts';
import type { PlanSubmission, SessionDesk, Submission } from './session-desk.ts';

/** What writing to sessions stands on. */
export interface SessionWritesOptions {
  readonly base: NodeBase;
  readonly index: LogIndex;
  readonly ownership: SessionOwnership;
  readonly desk: SessionDesk;
  readonly copies: Pick<CopyDesk, 'keepElsewhere'>;
}

/** What a router says that has all places taken which it has for this one's requests: they are free again in a moment. */
const busyCode = 'router_busy';

/** Errors that pass once the session has its owner again, or the owner has a place. */
const passing: ReadonlySet<string> = new Set([
  'not_owner',
  'no_responders',
  'request_timeout',
  'bus_disconnected',
  'host_stopped',
  'node_stopping',
  busyCode,
]);

const pauseMsMin = 50;
const pauseMsMax = 500;

/** Writes to sessions, whoever owns them: here, or by the router that does. */
export class SessionWrites {
  readonly #options: SessionWritesOptions;

  constructor(options: SessionWritesOptions) {
    this.#options = options;
  }

  /**
   * Puts a task into its session's log; the content of the prompt must be held here. It is held by another router of the
   * session too when this resolves, where one lives.
   *
   * @returns whether it is a new one.
   * @throws PouwError `router_not_listed`, `not_owner` where nobody owns the session for `limits.ownerWaitMsMax`, and
   *   what the owner refuses.
   */
  async submit(asked: Submission, signal: AbortSignal): Promise<boolean> {
    const { base, desk } = this.#options;
    const { clock, random } = base.ports;
    return this.#write(
      asked.session,
      async () => this.#kept(asked.session, await desk.submit(asked), [asked.prompt]),
      async (owner) => {
        const id = `submit:${asked.requestId}:${random.bytes32()}`;
        const body = { ...asked, at: clock.now() };
        return (await base.ask('router', owner, 'submit', id, body, submitReply)).created;
      },
      signal,
    );
  }

  /** Puts a plan into its session's log, as {@link submit} does a task. */
  async submitPlan(asked: PlanSubmission, signal: AbortSignal): Promise<boolean> {
    const { base, desk } = this.#options;
    const { clock, random } = base.ports;
    return this.#write(
      asked.session,
      async () => this.#kept(asked.session, await desk.submitPlan(asked), promptsOf(asked)),
      async (owner) => {
        const id = `plan:${asked.plan}:${random.bytes32()}`;
        return (await base.ask('router', owner, 'plan', id, { ...asked, at: clock.now() }, submitReply)).created;
      },
      signal,
    );
  }

  /** Ends a task early. @throws PouwError as {@link submit}, `task_not_cancellable`. */
  async cancel(asked: Omit<CancelTaskBody, 'at'>): Promise<void> {
    const { base, desk } = this.#options;
    const { clock, random } = base.ports;
    await this.#write(
      asked.session,
      () => desk.cancel(asked),
      async (owner) => {
        const id = `cancel:${asked.task}:${random.bytes32()}`;
        await base.ask('router', owner, 'cancel', id, { ...asked, at: clock.now() }, doneReply);
      },
      base.stopping,
    );
  }

  /** What is new here is to be with another router too. @returns whether it is. */
  async #kept(session: SessionId, isNew: boolean, prompts: readonly Cid[]): Promise<boolean> {
    if (isNew) await this.#options.copies.keepElsewhere(session, prompts);
    return isNew;
  }

  async #write<Answer>(
    session: SessionId,
    own: () => Promise<Answer>,
    forward: (owner: Address) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { base, index, ownership } = this.#options;
    const { clock } = base.ports;
    const { address } = base.identity;
    const routers = index.routersOf(session);
    if (!routers.includes(address)) throw notListed(address, session, routers);
    const giveUpAt = clock.now() + limits.ownerWaitMsMax;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
      let reason: unknown;
      try {
        if (ownership.owns(session)) return await own();
        const owner = await ownership.ownerOf(session, routers);
        if (owner !== undefined && owner !== address) return await forward(owner);
      } catch (error) {
        if (!passing.has(errorCode(error)) || base.stopping.aborted) throw error;
        reason = error;
      }
      if (clock.now() + pauseMs > giveUpAt)
        throw errorCode(reason) === busyCode ? (reason as PouwError) : ownerless(session, reason);
      await clock.sleep(pauseMs, AbortSignal.any([signal, base.stopping]));
    }
  }
}

function promptsOf({ steps }: PlanSubmission): Cid[] {
  return steps.map(({ prompt }) => prompt);
}

function ownerless(session: SessionId, cause: unknown): PouwError {
  return new PouwError('not_owner', `No router takes requests for the session ${session} now.`, {
    class: 'unavailable',
    why: 'Its owner cannot be reached, and no other router of its terms has taken it up yet.',
    hint: 'Send the request again shortly.',
    cause,
  });
}

function notListed(address: Address, session: SessionId, routers: readonly Address[]): PouwError {
  return new PouwError('router_not_listed', `The router ${address} is none of those that ${session} names.`, {
    class: 'forbidden',
    why: 'The terms of a session say which routers may write to it; others show it only.',
    hint: `Ask one of ${routers.join(', ')}.`,
    details: { routers: [...routers] },
  });
}
