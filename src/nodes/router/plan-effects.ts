import { endedUnsent } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { EndStepOnChain, SubmitPlanOnChain } from '../../../actors/task/effects.ts';
import { cidToDigest } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { Hex } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { idUsed, refusal, send, tellRefusal } from './chain-refusal.ts';
import type { SessionRuntime } from './session-effects.ts';

/**
 * Puts a plan on chain in one transaction: all of its steps are there afterwards, or none is. Where one of them has come to
 * nothing already, or the chain refuses the plan, so do the others. Where the chain has had one of the ids before, it is as
 * with a single task: it was long ago, or the facts are on their way, and it is tried again until they are there.
 */
export async function submitPlan(
  runtime: SessionRuntime,
  effect: SubmitPlanOnChain,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  const tasks = await planned(runtime, session, effect.plan);
  const waiting = tasks.filter(isUnsent);
  if (waiting.length === 0) return;
  const refuse = async (reason: string): Promise<void> => {
    for (const task of waiting) {
      const unsent = { kind: 'submitOnChain', ...wish(task.context), task: task.context.task } as const;
      await tellRefusal(runtime, unsent, reason, session, context.id);
    }
  };
  if (tasks.some((task) => endedUnsent(task))) return refuse('another step of the plan came to nothing');
  const steps = waiting.map((task) => ({
    ...wish(task.context),
    after: (task.context.after ?? []).map((one) => one.task),
  }));
  const reason = await refusal(runtime, effect, { call: 'submitPlan', session, steps }, context.id);
  if (reason === undefined) return;
  if (reason !== idUsed) return refuse(reason);
  for (const { context: known } of waiting) {
    const submittedBlock = await runtime.base.ports.chain.submittedBlock(known.task);
    if (submittedBlock === undefined) continue;
    await runtime.dispatch(session, { type: 'SeeTaskExists', task: known.task, submittedBlock }, context.id);
  }
  if ((await planned(runtime, session, effect.plan)).some(isUnsent)) {
    throw new PouwError(
      'submission_unseen',
      `The chain has steps of the plan ${effect.plan} that are not known here yet.`,
      {
        class: 'unavailable',
        why: 'Somebody else submitted them a moment ago.',
      },
    );
  }
}

/** Ends a step one of whose parents failed: by the chain's word where it has it, else as the session's router. */
export async function endStep(
  runtime: SessionRuntime,
  effect: EndStepOnChain,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  const { task } = effect;
  const reason = await refusal(runtime, effect, { call: 'refundStep', task }, context.id);
  if (reason === 'NoParentRefunded') await send(runtime, effect, { call: 'cancel', task }, session, context);
}

type Task = Folded<TaskContext>;

/** The tasks of a plan that the session knows, parents first. */
async function planned(runtime: SessionRuntime, session: SessionId, plan: Hex): Promise<Task[]> {
  const { tasks, ended } = (await runtime.session(session)).context;
  return [...Object.values(tasks), ...ended]
    .filter(({ context }) => context.plan?.id === plan)
    .toSorted((a, b) => (a.context.plan?.place ?? 0) - (b.context.plan?.place ?? 0));
}

function isUnsent({ value, context }: Task): boolean {
  return value === 'queued' && context.submittedBlock === 0;
}

function wish({ requestId, prompt, maxTokens, escrowWei }: TaskContext) {
  return { requestId, promptDigest: cidToDigest(prompt), maxTokens, maxPriceWei: escrowWei };
}
