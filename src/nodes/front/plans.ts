import type { TaskContext } from '../../../actors/task/context.ts';
import { isReady } from '../../../actors/task/steps.ts';
import type { SessionTerms } from '../../core/chain-fact.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type Hex, keccak256 } from '../../core/hash.ts';
import { type TaskId, taskId } from '../../core/ids.ts';
import { placeholdersIn } from '../../core/step-template.ts';
import { addWei } from '../../core/wei.ts';
import { type AskedContent, type PromptContent, stepContent } from '../../messages/bodies.ts';
import type { Inference } from '../../ports/inference.ts';
import type { PlanNetwork, PlanRequest, PlanStepView, PlanView } from '../../ports/plan-network.ts';
import type { LogIndex } from '../log-index.ts';
import { findTasks } from '../router/find-task.ts';
import type { RouterNode } from '../router/router-node.ts';
import { chainUnreachable, notFound } from './endings.ts';
import type { Front } from './front.ts';
import { prepareTask } from './task-request.ts';

/** What plans stand on. */
export interface PlansOptions {
  readonly front: Front;
  readonly index: LogIndex;
  readonly inference: Inference;
}

interface PreparedStep {
  readonly name: string;
  readonly requestId: Hex;
  readonly content: AskedContent;
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly after: readonly { readonly name: string; readonly task: TaskId }[];
}

/** Plans of several steps, over the routers of this process. */
export class Plans implements PlanNetwork {
  readonly #options: PlansOptions;

  constructor(options: PlansOptions) {
    this.#options = options;
  }

  async submit(request: PlanRequest, signal: AbortSignal): Promise<{ view: PlanView; created: boolean }> {
    const { front } = this.#options;
    const { session } = request;
    const router = front.routerFor(session);
    const { terms } = (await router.session(session)).context;
    if (terms === null) throw notFound('session_not_found', 'session', session);
    const plan = request.plan ?? router.base.ports.random.bytes32();
    const prepared = await this.#prepare({ ...request, plan }, terms);
    signal.throwIfAborted();
    if (front.isChainDown) throw chainUnreachable();
    const { content } = router.base.ports;
    const steps = [];
    for (const [place, { content: asked, ...step }] of prepared.entries()) {
      const maxPriceWei = request.steps[place]?.task.maxPriceWei ?? null;
      steps.push({ ...step, prompt: await content.put(asked), maxPriceWei, after: [...step.after] });
    }
    // The log must not name a prompt that a crash can take away.
    await content.flush();
    const created = await router.writes.submitPlan({ session, plan, steps }, signal);
    const names = steps.map(({ name, requestId }) => ({ name, task: taskId(session, requestId) }));
    return { view: await this.#view(plan, session, names, router), created };
  }

  async plan(id: Hex): Promise<PlanView | undefined> {
    const found = this.#options.index.plan(id);
    if (found === undefined) return undefined;
    return this.#view(id, found.session, found.steps, this.#options.front.routerFor(found.session));
  }

  async cancel(id: Hex): Promise<PlanView | undefined> {
    const { front } = this.#options;
    const before = await this.plan(id);
    // Those that come last first: what is before them then ends without failing them.
    for (const { task } of before?.steps.toReversed() ?? [])
      if (task.state === 'queued') await front.cancel(task.task, 'The client asked for it.');
    return this.plan(id);
  }

  /** Every step as content, with the tokens that its prompt can have at most. */
  async #prepare(
    { session, plan, steps }: PlanRequest & { readonly plan: Hex },
    terms: SessionTerms,
  ): Promise<PreparedStep[]> {
    const { inference } = this.#options;
    const prepared: PreparedStep[] = [];
    for (const { name, after, task } of steps) {
      const requestId = keccak256(`pouw step\n${plan}\n${name}`);
      const made = await prepareTask({ ...task, session, delivery: 'verified' }, terms, inference);
      const parents = prepared.filter((one) => after.includes(one.name));
      if (parents.length === 0) {
        prepared.push({ name, requestId, ...made, after: [] });
        continue;
      }
      const asked = made.content as PromptContent;
      const promptTokens = made.promptTokens + filledTokens(asked.prompt, parents);
      const context = inference.models().find(({ id }) => id === terms.model)?.contextTokens ?? 0;
      if (promptTokens >= context) throw tooLong(name, promptTokens, context);
      const maxTokens = Math.min(made.maxTokens, context - promptTokens);
      const named = parents.map((one) => ({ name: one.name, task: taskId(session, one.requestId) }));
      const content = stepContent.parse({ ...asked, kind: 'step', maxTokens, after: named });
      prepared.push({ name, requestId, content, promptTokens, maxTokens, after: named });
    }
    return prepared;
  }

  async #view(
    plan: Hex,
    session: PlanView['session'],
    names: readonly { readonly name: string; readonly task: TaskId }[],
    router: RouterNode,
  ): Promise<PlanView> {
    const { front, index } = this.#options;
    const sources = { index, store: router.base.ports.store, session: (id: typeof session) => router.session(id) };
    const ids = names.map(({ task }) => task);
    const live = (await router.session(session)).context.tasks;
    const found = new Map((await findTasks(sources, session, ids)).map(({ task }) => [task.context.task, task]));
    const steps: PlanStepView[] = [];
    for (const { name, task } of names) {
      const folded = live[task] ?? found.get(task);
      if (folded !== undefined) steps.push({ name, ...waitOf(folded), task: await front.viewOf(session, folded) });
    }
    const priceWei = addWei(...steps.map(({ task }) => task.priceWei));
    const escrowWei = addWei(...steps.map(({ task }) => task.escrowWei));
    return { plan, session, state: stateOf(steps, names.length), steps, priceWei, escrowWei };
  }
}

function waitOf({ value, context }: Folded<TaskContext>): Pick<PlanStepView, 'after' | 'isWaiting'> {
  const after = (context.after ?? []).map(({ name }) => name);
  return { after, isWaiting: value === 'queued' && !isReady(context) && context.parentFailed !== true };
}

/** Where the whole stands. What the log has of it may be a moment late at a router that does not own the session. */
function stateOf(steps: readonly PlanStepView[], count: number): PlanView['state'] {
  if (steps.length < count) return 'running';
  const states = steps.map(({ task }) => task.state);
  if (states.every((state) => state === 'settled')) return 'settled';
  return states.every((state) => state === 'settled' || state === 'refunded') ? 'failed' : 'running';
}

/** The tokens that the texts of other steps can have at most where a template has them. */
function filledTokens(prompt: PromptContent['prompt'], parents: readonly PreparedStep[]): number {
  return placeholdersIn(prompt).reduce(
    (sum, name) => sum + (parents.find((parent) => parent.name === name)?.maxTokens ?? 0),
    0,
  );
}

function tooLong(name: string, tokens: number, contextTokens: number): PouwError {
  return new PouwError(
    'prompt_too_long',
    `The prompt of the step ${name} may have ${tokens} tokens with what the steps before it say; the model holds ${contextTokens}, answer included.`,
    { class: 'too-large', param: 'steps', hint: 'Give the steps before it a smaller max_tokens.' },
  );
}
