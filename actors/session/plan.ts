import type { RouterGrant } from '../../src/core/allowance.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import { type Address, type Cid, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, type Wei } from '../../src/core/wei.ts';
import { queueTimer } from '../task/decide.ts';
import type { StepParent } from '../task/steps.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { notGranted } from './grants.ts';
import { priceBound, refuse, submission } from './submit.ts';
import { openTaskCount, taskOf } from './tasks.ts';

/** One task of a plan. */
export type PlannedTask = {
  readonly name: string;
  readonly requestId: Hex;
  /** Its prompt, or where it comes after others the template of it. */
  readonly prompt: Cid;
  /** The tokens of its prompt, those of what it comes after included as far as they can become. */
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei | null;
  /** Tasks of the plan that stand before it. */
  readonly after: readonly StepParent[];
};

/** Several tasks, some of which come after others: all of them, or none. */
export type SubmitPlan = {
  readonly type: 'SubmitPlan';
  /** The request id of the whole, which names it. */
  readonly plan: Hex;
  readonly by: Address;
  readonly steps: readonly PlannedTask[];
  /** As of a single task. */
  readonly grant?: RouterGrant;
};

type State = Folded<SessionContext>;

/** What a plan leads to. Its steps are in one commit, so that a crash leaves all of them or none. */
export function submitPlan(state: State, command: SubmitPlan, env: Env): Decision<SessionEvent> {
  const { session, terms } = state.context;
  if (session === null || terms === null)
    return reject('session_not_found', 'There is no such session.', { class: 'not-found' });
  const { plan, by, steps } = command;
  const ids = steps.map(({ requestId }) => taskId(session, requestId));
  const known = ids.map((id) => taskOf(state.context, id)?.context);
  if (known.some((one) => one !== undefined)) {
    const isSame = known.every((one, place) => one?.prompt === steps[place]?.prompt && one?.plan?.id === plan);
    return isSame && stepCount(state.context, plan) === steps.length ? unchanged : reused();
  }
  if (terms.settlement === 'batched') {
    return reject('steps_unsupported', 'The session settles its tasks in batches, which have no steps.', {
      class: 'forbidden',
      hint: 'Use a session whose terms say perTask.',
    });
  }
  const depths = depthsOf(steps, ids);
  if (depths === undefined)
    return reject('plan_malformed', 'A step comes after tasks that stand before it in the plan, each named once.');
  const prices = steps.map((step) => priceBound(terms, step));
  const wholeWei = addWei(...prices);
  if (openTaskCount(state.context) + steps.length > limits.sessionOpenTasksMax) {
    return reject('session_busy', `The session has no room for ${steps.length} more unfinished tasks.`, {
      class: 'busy',
      hint: 'Wait for some to end.',
    });
  }
  for (const [place, step] of steps.entries()) {
    if (!Number.isInteger(step.maxTokens) || step.maxTokens < 1 || step.maxTokens > limits.outputTokensMax)
      return reject('invalid_max_tokens', `max_tokens must be 1 to ${limits.outputTokensMax}.`);
    // The last one is asked about all of the money, so that the answer says what the whole plan lacks.
    const price = place === steps.length - 1 ? wholeWei : (prices[place] ?? wholeWei);
    const refusal = refuse(state, { ...step, by }, price);
    if (refusal !== undefined) return refusal;
  }
  const excess = notGranted(state.context, command, prices, env.now);
  if (excess !== undefined) return excess;
  const expiresAt = env.now + terms.queueTimeoutS * 1_000;
  return accept(
    ...steps.flatMap((step, place): SessionEvent[] => {
      const task = ids[place] as TaskId;
      const { name, after } = step;
      const asked = { ...step, by, maxPriceWei: prices[place] as Wei };
      const submitted = { ...submission(terms, task, asked, expiresAt), plan: { id: plan, name, place } };
      if (after.length > 0) return [{ ...submitted, step: depths[place] as number, after }];
      return [submitted, { type: 'TimerSet', task, timer: queueTimer, at: expiresAt }];
    }),
  );
}

/** How many tasks of a plan the session knows. */
function stepCount({ tasks, ended }: SessionContext, plan: Hex): number {
  return [...Object.values(tasks), ...ended].filter(({ context }) => context.plan?.id === plan).length;
}

function reused(): Decision<never> {
  return reject('request_id_reused', 'This request id was used for another plan.', {
    hint: 'Use a new id for a new plan.',
  });
}

/** Where each step stands in a row, from 0; undefined where they do not come one after the other. */
function depthsOf(steps: readonly PlannedTask[], ids: readonly TaskId[]): number[] | undefined {
  if (steps.length < 1 || steps.length > limits.planStepsMax) return undefined;
  if (new Set(ids).size < ids.length || new Set(steps.map(({ name }) => name)).size < steps.length) return undefined;
  const depths: number[] = [];
  for (const { after } of steps) {
    const places = after.map(({ name, task }) => steps.findIndex((one, at) => one.name === name && ids[at] === task));
    const isFit = places.every((place) => place >= 0 && place < depths.length);
    if (!isFit || places.length > limits.stepParentsMax || new Set(places).size < places.length) return undefined;
    const depth = Math.max(-1, ...places.map((place) => depths[place] ?? 0)) + 1;
    if (depth > limits.stepMax) return undefined;
    depths.push(depth);
  }
  return depths;
}
