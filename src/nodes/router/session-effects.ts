import type { SessionCommand } from '../../../actors/session/decide.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type {
  AssignOnChain,
  CancelJob,
  CancelOnChain,
  ExpireOnChain,
  RequestValidation,
  SendJob,
  SettleOnChain,
  SubmitOnChain,
  TaskEffect,
} from '../../../actors/task/effects.ts';
import type { Effect } from '../../core/effect.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { cidToDigest } from '../../core/cid.ts';
import { parseStreamId, type SessionId, type TaskId } from '../../core/ids.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { EffectContext, EffectHandler } from '../../runtime/actor.ts';
import type { NodeBase } from '../node-base.ts';
import type { Feeds } from './feeds.ts';

/** What carrying out a session's effects needs of its router. */
export interface SessionRuntime {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  session(id: SessionId): Promise<Folded<SessionContext>>;
  dispatch(session: SessionId, command: SessionCommand, cause: string): Promise<void>;
}

/** The contract's words for "this was done before": then the fact is on its way. */
const alreadyDone = new Set(['TaskExists', 'WrongTaskState']);

type Handler<E extends TaskEffect> = (effect: E, session: SessionId, context: EffectContext) => Promise<void>;

/** The handlers of everything a session asks for, but for the selection, which the router's book makes. */
export function sessionEffects(runtime: SessionRuntime): Record<string, EffectHandler> {
  const handle = <E extends TaskEffect>(run: Handler<E>): EffectHandler => {
    return (effect: Effect, context) =>
      run(effect as unknown as E, parseStreamId(context.stream).key as SessionId, context);
  };
  return {
    submitOnChain: handle<SubmitOnChain>((effect, session, context) => submit(runtime, effect, session, context)),
    assignOnChain: handle<AssignOnChain>((effect, session, context) => assign(runtime, effect, session, context)),
    sendJob: handle<SendJob>((effect, session, context) => sendJob(runtime, effect, session, context)),
    cancelJob: handle<CancelJob>((effect, _, context) => cancelJob(runtime, effect, context)),
    requestValidation: handle<RequestValidation>((effect, session, context) =>
      requestValidation(runtime, effect, session, context),
    ),
    settleOnChain: handle<SettleOnChain>((effect, session, context) => settle(runtime, effect, session, context)),
    cancelOnChain: handle<CancelOnChain>((effect, session, context) =>
      end(runtime, effect, { call: 'cancel', task: effect.task }, session, context),
    ),
    expireOnChain: handle<ExpireOnChain>((effect, session, context) =>
      end(runtime, effect, { call: 'expire', task: effect.task }, session, context),
    ),
  };
}

async function taskOf(
  runtime: SessionRuntime,
  session: SessionId,
  task: TaskId,
): Promise<Folded<TaskContext> | undefined> {
  return (await runtime.session(session)).context.tasks[task];
}

/** Sends a call; what the contract refuses for good goes back to the session as a fact of its own. */
async function send(
  runtime: SessionRuntime,
  effect: TaskEffect,
  call: ChainCall,
  session: SessionId,
  { id }: EffectContext,
): Promise<void> {
  try {
    await runtime.base.send(call, id);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted') throw error;
    const named = error instanceof PouwError ? error.details?.['reason'] : undefined;
    const reason = typeof named === 'string' ? named : errorMessage(error);
    runtime.base.ports.log.warn('the chain refused a call', { call: call.call, task: effect.task, reason });
    if (alreadyDone.has(reason)) return;
    await runtime.dispatch(
      session,
      { type: 'TaskEffectFailed', task: effect.task, effect: effect.kind, code: 'chain_reverted', reason },
      id,
    );
  }
}

async function submit(
  runtime: SessionRuntime,
  effect: SubmitOnChain,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  const { requestId, promptDigest, maxTokens, maxPriceWei } = effect;
  await send(
    runtime,
    effect,
    { call: 'submit', session, requestId, promptDigest, maxTokens, maxPriceWei },
    session,
    context,
  );
}

async function assign(
  runtime: SessionRuntime,
  effect: AssignOnChain,
  session: SessionId,
  context: EffectContext,
): Promise<void> {
  const { task, miners, validators, beaconBlock, beacon, selectionDigest } = effect;
  await send(
    runtime,
    effect,
    { call: 'assign', task, miners, validators, beaconBlock, beacon, selectionDigest },
    session,
    context,
  );
}

/** A miner that cannot be reached is tried again until its deadline gives the slot to another. */
async function sendJob(
  runtime: SessionRuntime,
  effect: SendJob,
  session: SessionId,
  { id }: EffectContext,
): Promise<void> {
  const { task, miner, attempt, prompt, model, maxTokens } = effect;
  const folded = await taskOf(runtime, session, task);
  const slot = folded?.context.slots.find((one) => one.miner === miner && one.attempt === attempt);
  if (folded === undefined || slot === undefined || slot.phase !== 'assigned') return;
  const continues = attempt > 0 && folded.context.primary === miner;
  const stream = continues ? runtime.feeds.get(task)?.stream : undefined;
  const prefix = stream === undefined || stream.end !== undefined ? [] : stream.prefix();
  await runtime.base.command('miner', miner, 'job', id, {
    session,
    task,
    step: 0,
    attempt,
    prompt,
    model,
    maxTokens,
    prefix,
  });
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
  const folded = await taskOf(runtime, session, effect.task);
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
