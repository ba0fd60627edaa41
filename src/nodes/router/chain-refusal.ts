import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { TaskEffect } from '../../../actors/task/effects.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { EffectId, SessionId, TaskId } from '../../core/ids.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { SessionRuntime } from './session-effects.ts';

/** The contract's word for "the task is past that": then the fact of it is on its way. */
const alreadyDone = 'WrongTaskState';
/** The contract's word for "this id was used before". */
export const idUsed = 'TaskExists';

/** What the contract says where an allowance was spent or taken back between the desk's question and the submission. */
const allowanceCodes: Readonly<Record<string, string>> = {
  NotAllowed: 'router_may_not_submit',
  AllowanceExpired: 'allowance_expired',
  TaskLimitExceeded: 'allowance_task_limit',
  AllowanceExceeded: 'allowance_exceeded',
};

/** A task of a session as it stands; undefined where the session does not know it. */
export async function taskIn(
  runtime: SessionRuntime,
  session: SessionId,
  task: TaskId,
): Promise<Folded<TaskContext> | undefined> {
  return taskOf((await runtime.session(session)).context, task);
}

/** Sends a call; what the contract refuses for good goes back to the session as a fact of its own. */
export async function send(
  runtime: SessionRuntime,
  effect: TaskEffect,
  call: ChainCall,
  session: SessionId,
  { id }: EffectContext,
): Promise<void> {
  const reason = await refusal(runtime, effect, call, id);
  if (reason !== undefined && reason !== alreadyDone) await tellRefusal(runtime, effect, reason, session, id);
}

/** Tells a session that the chain has refused an effect for good. */
export async function tellRefusal(
  runtime: SessionRuntime,
  { task, kind }: TaskEffect,
  reason: string,
  session: SessionId,
  id: EffectId,
): Promise<void> {
  const code = allowanceCodes[reason] ?? 'chain_reverted';
  const command = { type: 'TaskEffectFailed', task, effect: kind, code, reason } as const;
  await runtime.dispatch(session, command, id);
}

/** Sends a call. @returns the contract's word for why it refused; undefined where the call is on chain. */
export async function refusal(
  { base }: SessionRuntime,
  { task }: TaskEffect,
  call: ChainCall,
  id: EffectId,
): Promise<string | undefined> {
  try {
    await base.send(call, id);
    return undefined;
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted') throw error;
    const named = error instanceof PouwError ? error.details?.['reason'] : undefined;
    const reason = typeof named === 'string' ? named : errorMessage(error);
    base.ports.log.warn('the chain refused a call', { call: call.call, task, reason });
    return reason;
  }
}
