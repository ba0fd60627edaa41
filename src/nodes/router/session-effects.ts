import type { SessionCommand } from '../../../actors/session/decide.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import { hasEnded } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type {
  AssignOnChain,
  CancelJob,
  CancelOnChain,
  EndStepOnChain,
  ExpireOnChain,
  RequestValidation,
  SendJob,
  SettleOnChain,
  ShowBatch,
  SubmitOnChain,
  SubmitPlanOnChain,
  TaskEffect,
} from '../../../actors/task/effects.ts';
import { isOverruled, isRuled } from '../../../actors/task/appeals.ts';
import { isBatched } from '../../../actors/task/batched.ts';
import type { Effect } from '../../core/effect.ts';
import { errorCode, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { limits } from '../../core/limits.ts';
import { cidToDigest } from '../../core/cid.ts';
import { parseStreamId, type SessionId, type TaskId } from '../../core/ids.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { EffectContext, EffectHandler } from '../../runtime/actor.ts';
import type { NodeBase } from '../node-base.ts';
import { requireFinal } from './appeal-window.ts';
import { assignTask, type BatchedHandler, endTask, pinManifest, sawJobTaken, takeTask } from './batch/task-effects.ts';
import { showBatch } from './batch/show.ts';
import { askAcceptances } from './carry/ask-acceptances.ts';
import type { Presence } from '../presence.ts';
import { idUsed, refusal, send, taskIn, tellRefusal } from './chain-refusal.ts';
import type { Feeds } from './feeds.ts';
import { endStep, submitPlan } from './plan-effects.ts';

/** What carrying out a session's effects needs of its router. */
export interface SessionRuntime {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence: Pick<Presence, 'isDraining'>;
  session(id: SessionId): Promise<Folded<SessionContext>>;
  dispatch(session: SessionId, command: SessionCommand, cause: string): Promise<void>;
}

type Handler<E extends TaskEffect> = (effect: E, session: SessionId, context: EffectContext) => Promise<void>;

/**
 * The handlers of everything a session asks for, but for the selection, which the router's book makes.
 *
 * @param isSettled whether a task was settled together with its attestations.
 */
export function sessionEffects(
  runtime: SessionRuntime,
  isSettled: (task: TaskId) => Promise<boolean>,
): Record<string, EffectHandler> {
  const handle = <E extends TaskEffect>(run: Handler<E>): EffectHandler => {
    return (effect: Effect, context) =>
      run(effect as unknown as E, parseStreamId(context.stream).key as SessionId, context);
  };
  /** What goes to the chain for a task that is settled by itself stays here for one of a batch. */
  const either = <E extends TaskEffect>(run: Handler<E>, batched: BatchedHandler<E>): EffectHandler =>
    handle<E>(async (effect, session, context) => {
      const task = await taskIn(runtime, session, effect.task);
      if (task === undefined || !isBatched(task.context)) return run(effect, session, context);
      await batched(runtime, { effect, session, task, cause: context.id });
    });
  return {
    submitOnChain: either<SubmitOnChain>(
      (effect, session, context) => submit(runtime, effect, session, context),
      takeTask,
    ),
    submitPlanOnChain: handle<SubmitPlanOnChain>((effect, session, context) =>
      submitPlan(runtime, effect, session, context),
    ),
    endStepOnChain: handle<EndStepOnChain>((effect, session, context) => endStep(runtime, effect, session, context)),
    assignOnChain: either<AssignOnChain>(
      (effect, session, context) => assign(runtime, effect, session, context),
      assignTask,
    ),
    sendJob: handle<SendJob>((effect, session, context) => sendJob(runtime, effect, session, context)),
    cancelJob: handle<CancelJob>((effect, _, context) => cancelJob(runtime, effect, context)),
    requestValidation: handle<RequestValidation>((effect, session, context) =>
      requestValidation(runtime, effect, session, context),
    ),
    showBatch: handle<ShowBatch>((effect, session, context) => showBatch(runtime, effect, session, context.id)),
    settleOnChain: either<SettleOnChain>(async (effect, session, context) => {
      if (!(await isSettled(effect.task))) await settle(runtime, effect, session, context);
    }, pinManifest),
    cancelOnChain: either<CancelOnChain>(
      (effect, session, context) => end(runtime, effect, { call: 'cancel', task: effect.task }, session, context),
      endTask,
    ),
    expireOnChain: either<ExpireOnChain>(
      (effect, session, context) => end(runtime, effect, { call: 'expire', task: effect.task }, session, context),
      endTask,
    ),
  };
}

/**
 * Puts a task on chain, unless it is there or over already. Where its id was used before, the chain says since when, and
 * the session decides: either that was long ago and the task comes to nothing, or somebody else has just submitted it
 * and the fact is on its way. Then the effect is tried again until the session has the fact: should a reorg take that
 * submission away, this one takes its place.
 */
async function submit(
  runtime: SessionRuntime,
  effect: SubmitOnChain,
  session: SessionId,
  { id }: EffectContext,
): Promise<void> {
  const { task, requestId, promptDigest, maxTokens, maxPriceWei } = effect;
  const { chain } = runtime.base.ports;
  const isWaiting = async (): Promise<boolean> => {
    const known = await taskIn(runtime, session, task);
    return known?.value === 'queued' && known.context.submittedBlock === 0;
  };
  if (!(await isWaiting())) return;
  const call = { call: 'submit', session, requestId, promptDigest, maxTokens, maxPriceWei } as const;
  const reason = await refusal(runtime, effect, call, id);
  if (reason === undefined) return;
  if (reason !== idUsed) return tellRefusal(runtime, effect, reason, session, id);
  const submittedBlock = await chain.submittedBlock(task);
  if (submittedBlock !== undefined)
    await runtime.dispatch(session, { type: 'SeeTaskExists', task, submittedBlock }, id);
  if (await isWaiting()) {
    throw new PouwError('submission_unseen', `The chain has a task ${task} that its session has not heard of yet.`, {
      class: 'unavailable',
      why: 'Somebody else submitted it a moment ago.',
    });
  }
}

/** One of about twice as many lanes as there are tasks, so that most are free and all are used again soon. */
function laneHint(task: TaskId, tasks: number): number {
  return Number(BigInt(task) % BigInt(Math.min(limits.sessionLanesMax, 2 * tasks + 1)));
}

async function assign(
  runtime: SessionRuntime,
  effect: AssignOnChain,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  const { kind: _, ...draw } = effect;
  const { tasks } = (await runtime.session(session)).context;
  const lane = laneHint(draw.task, Object.keys(tasks).length);
  const folded = tasks[draw.task];
  const isWaiting = folded?.value === 'queued' && folded.context.selected;
  const acceptances = isWaiting ? await askAcceptances(runtime.base, session, folded.context, effect, context.id) : [];
  const chosen = isWaiting ? folded.context.ranking.slice(0, folded.context.redundancy) : [];
  const now = runtime.base.ports.clock.now();
  // It would let its slot time out: others are chosen before the task is theirs.
  const leaving = chosen.find(
    (miner, place) => (acceptances[place] ?? null) === null && runtime.presence.isDraining(miner, now),
  );
  if (leaving !== undefined) return tellRefusal(runtime, effect, `MinerDraining(${leaving})`, session, context.id);
  await send(runtime, effect, { call: 'assign', ...draw, lane, acceptances }, session, context);
}

/** A miner that cannot be reached is tried again until its slot is another's, or the task is over without it. */
async function sendJob(
  runtime: SessionRuntime,
  effect: SendJob,
  session: SessionId,
  { id }: EffectContext,
): Promise<void> {
  const { task, miner, attempt, prompt, model, maxTokens } = effect;
  const folded = await taskIn(runtime, session, task);
  const slot = folded?.context.slots.find((one) => one.miner === miner && one.attempt === attempt);
  if (folded === undefined || folded.value === 'failed' || hasEnded(folded)) return;
  if (slot === undefined || !(slot.phase === 'assigned' || slot.phase === 'acked')) return;
  const continues = attempt > 0 && folded.context.primary === miner;
  const stream = continues ? runtime.feeds.get(task)?.stream : undefined;
  const prefix = stream === undefined || stream.end !== undefined ? [] : stream.prefix();
  await runtime.base.command('miner', miner, 'job', id, {
    session,
    task,
    step: folded.context.step ?? 0,
    attempt,
    prompt,
    model,
    maxTokens,
    prefix,
    ...(isBatched(folded.context) ? { batched: true } : {}),
  });
  if (isBatched(folded.context)) await sawJobTaken(runtime, { session, task, miner, cause: id });
}

/** Only a courtesy: a miner that does not hear it learns from the chain. */
async function cancelJob(
  runtime: SessionRuntime,
  { task, miner, attempt }: CancelJob,
  { id }: EffectContext,
): Promise<void> {
  try {
    await runtime.base.command('miner', miner, 'cancel', id, { task, attempt });
  } catch (error) {
    runtime.base.ports.log.debug('a miner was not told of a cancellation', { miner, task, code: errorCode(error) });
  }
}

async function requestValidation(
  runtime: SessionRuntime,
  effect: RequestValidation,
  session: SessionId,
  { id }: EffectContext,
): Promise<void> {
  const folded = await taskIn(runtime, session, effect.task);
  if (folded?.value !== 'committed') return;
  const { kind: _, validator, ...body } = effect;
  await runtime.base.command('validator', validator, 'validate', id, { session, ...body });
}

async function settle(
  runtime: SessionRuntime,
  effect: SettleOnChain,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  const { content } = runtime.base.ports;
  const manifest = await content.put(effect.manifest);
  await content.flush();
  const now = async (): Promise<TaskContext | undefined> => (await taskIn(runtime, session, effect.task))?.context;
  await requireFinal(runtime.base.ports, effect.task, context.signal, async () => isRuled(await now()));
  // What was overturned nobody settles by: the ruling has an effect of its own.
  const found = await now();
  if (found !== undefined && isOverruled(found, effect.manifest)) return;
  await send(
    runtime,
    effect,
    { call: 'settle', task: effect.task, manifestDigest: cidToDigest(manifest) },
    session,
    context,
  );
}

/** Ends a task early. Where the contract says no, the task is past it and ends by itself. */
async function end(
  runtime: SessionRuntime,
  effect: TaskEffect,
  call: ChainCall,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  await send(runtime, effect, call, session, context);
}
