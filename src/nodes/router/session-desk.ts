import type { SessionCommand } from '../../../actors/session/decide.ts';
import { hasEnded } from '../../../actors/session/tasks.ts';
import type { RouterGrant } from '../../core/allowance.ts';
import { PouwError } from '../../core/errors.ts';
import { type Address, type SessionId, streamId, type TaskId, taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import {
  type CancelTaskBody,
  cancelTaskBody,
  type SubmitBody,
  submitBody,
  type SubmitPlanBody,
  submitPlanBody,
  taskContent,
} from '../../messages/bodies.ts';
import type { Opened } from '../../messages/envelope.ts';
import { notOwner } from '../../runtime/refusals.ts';
import type { NodeBase } from '../node-base.ts';
import { readAsked } from '../step-prompt.ts';
import { findTask, findTasks, type TaskSources } from './find-task.ts';
import { ReplayGuard } from './replay-guard.ts';
import { SenderPlaces } from './sender-places.ts';

/** What a desk stands on. */
export interface SessionDeskOptions extends Pick<TaskSources, 'index' | 'session'> {
  readonly base: NodeBase;
  readonly owns: (session: SessionId) => boolean;
  readonly dispatch: (session: SessionId, command: SessionCommand, cause: string) => Promise<void>;
}

/** A plan as the owner of its session takes it. */
export type PlanSubmission = Omit<SubmitPlanBody, 'at'>;

/** A task as the owner of its session takes it. */
export type Submission = Omit<SubmitBody, 'at'>;

/** How long a prompt may take to arrive from the router that forwards its task, in milliseconds. */
const promptWithinMs = 1_500;

/** The refusal of another request under a used id. */
export function requestIdReused(): PouwError {
  return new PouwError('request_id_reused', 'This request id was used for another request.', {
    class: 'invalid',
    hint: 'Use a new id for a new request.',
  });
}

/**
 * Where a router takes tasks and cancellations for the sessions it owns: from its own front, and from the other routers
 * that a session's terms name, whose prompts it fetches and keeps before its log names them.
 */
export class SessionDesk {
  readonly #options: SessionDeskOptions;
  readonly #guard = new ReplayGuard();
  /** Submissions under way: of two with one id, the second waits to see what became of the first. */
  readonly #taking = new Map<TaskId, Promise<unknown>>();
  readonly #places = new SenderPlaces({ max: limits.forwardedWritesMax, ofOneMax: limits.forwardedWritesOfOneMax });

  constructor(options: SessionDeskOptions) {
    this.#options = options;
  }

  /** Takes the commands of other routers. */
  listen(): void {
    const { base } = this.#options;
    const together = { isAlone: false };
    const submit = (opened: Opened<SubmitBody>): Promise<{ created: boolean }> =>
      this.#forwarded(opened, () => this.#take(opened.body));
    const cancel = (opened: Opened<CancelTaskBody>): Promise<void> =>
      this.#forwarded(opened, () => this.cancel(opened.body));
    const plan = (opened: Opened<SubmitPlanBody>): Promise<{ created: boolean }> =>
      this.#forwarded(opened, () => this.#takePlan(opened.body));
    base.onCommand('submit', 'router', submitBody, submit, together);
    base.onCommand('plan', 'router', submitPlanBody, plan, together);
    base.onCommand('cancel', 'router', cancelTaskBody, cancel, together);
  }

  /**
   * Puts a task into the log of its session.
   *
   * @returns whether it is a new one; false where the same request was taken before.
   * @throws PouwError `not_owner`, `request_id_reused` and what the session refuses.
   */
  async submit(asked: Submission): Promise<boolean> {
    const task = taskId(asked.session, asked.requestId);
    const taking = (this.#taking.get(task) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#submit(task, asked));
    this.#taking.set(task, taking);
    try {
      return await taking;
    } finally {
      if (this.#taking.get(task) === taking) this.#taking.delete(task);
    }
  }

  /**
   * Puts the steps of a plan into the log of their session, in one commit.
   *
   * @returns whether it is a new one.
   * @throws PouwError `not_owner`, `request_id_reused`, `steps_unsupported`, `plan_malformed` and what the session refuses.
   */
  async submitPlan({ session, plan, steps }: PlanSubmission): Promise<boolean> {
    const ids = steps.map(({ requestId }) => taskId(session, requestId));
    const before = await findTasks(this.#sources, session, ids);
    // One that the session has forgotten is in the log.
    const isSame = before.every(({ task: { context } }) => steps[ids.indexOf(context.task)]?.prompt === context.prompt);
    const count = this.#options.index.plan(plan)?.steps.length ?? before.length;
    if (before.length > 0 && (before.length < steps.length || count !== steps.length || !isSame))
      throw requestIdReused();
    if (before.length > 0) return false;
    const { address: by } = this.#options.base.identity;
    const grant = await this.#grant(session);
    await this.#options.dispatch(session, { type: 'SubmitPlan', plan, by, steps, ...grant }, `plan:${plan}`);
    return true;
  }

  /** Ends a task early; one that has ended stays as it is. @throws PouwError `not_owner`, `task_not_cancellable`. */
  async cancel({ session, task, reason }: Omit<CancelTaskBody, 'at'>): Promise<void> {
    const found = await findTask(this.#sources, task, session);
    if (found !== undefined && hasEnded(found.task)) return;
    await this.#options.dispatch(session, { type: 'CancelTask', task, reason }, `cancel:${task}`);
  }

  /**
   * What this router may still escrow by its owner's allowance, asked of the chain for each submission where the terms
   * do not let routers submit: so a revocation, a reorg or what another process of this router spends holds at once.
   */
  async #grant(session: SessionId): Promise<{ readonly grant?: RouterGrant }> {
    const { base, session: read } = this.#options;
    const { terms } = (await read(session)).context;
    if (terms?.routerMaySubmit !== false) return {};
    const grant = await base.ports.chain.grant(session, base.identity.address);
    return grant === undefined ? {} : { grant };
  }

  get #sources(): TaskSources {
    const { base, index, session } = this.#options;
    return { index, session, store: base.ports.store };
  }

  async #submit(task: TaskId, { requestId, session, ...asked }: Submission): Promise<boolean> {
    const before = (await findTask(this.#sources, task, session))?.task.context;
    if (before !== undefined && before.prompt !== asked.prompt) throw requestIdReused();
    if (before !== undefined) return false;
    const { address: by } = this.#options.base.identity;
    const grant = await this.#grant(session);
    const command: SessionCommand = { type: 'SubmitTask', requestId, by, onChain: null, ...asked, ...grant };
    await this.#options.dispatch(session, command, `request:${requestId}`);
    return true;
  }

  /** A command of another router, which may do so by the session's terms. */
  async #forwarded<Answer>(
    { id, from, body: { session, at } }: Opened<{ session: SessionId; at: number }>,
    carryOut: () => Promise<Answer>,
  ): Promise<Answer> {
    const { base, index, owns } = this.#options;
    if (!index.routersOf(session).includes(from)) throw notListed(from, session);
    if (!owns(session)) throw notOwner(streamId('session', session));
    return this.#places.hold(from, 1, async () => {
      this.#guard.take(`${from}/${id}`, at, base.ports.clock.now());
      return carryOut();
    });
  }

  async #takePlan({ at: _, ...asked }: SubmitPlanBody): Promise<{ created: boolean }> {
    const { content } = this.#options.base.ports;
    const { stopping } = this.#options.base;
    for (const { prompt } of asked.steps)
      await content.put(await readAsked(content, prompt, { timeoutMs: promptWithinMs, signal: stopping }));
    await content.flush();
    return { created: await this.submitPlan(asked) };
  }

  async #take({ at: _, ...asked }: SubmitBody): Promise<{ created: boolean }> {
    const { content } = this.#options.base.ports;
    const { stopping } = this.#options.base;
    const prompt = await content.get(asked.prompt, { timeoutMs: promptWithinMs, signal: stopping });
    const parsed = taskContent.safeParse(prompt);
    if (!parsed.success || parsed.data.model !== asked.model) {
      throw new PouwError('prompt_malformed', `The content ${asked.prompt} is no prompt for ${asked.model}.`, {
        class: 'invalid',
      });
    }
    // The log must not name a prompt that a crash can take away.
    await content.put(prompt);
    await content.flush();
    return { created: await this.submit(asked) };
  }
}

function notListed(from: Address, session: SessionId): PouwError {
  return new PouwError('sender_not_allowed', `${from} is no router of ${session}.`, { class: 'forbidden' });
}
