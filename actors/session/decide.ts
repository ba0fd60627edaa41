import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { lessWei, type Wei } from '../../src/core/wei.ts';
import { allowedFor } from '../../src/core/session-terms.ts';
import type { ClaimOffer } from '../task/claims.ts';
import { decideTask, type SeeTaskFact, type TaskCommand } from '../task/decide.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { restored, type SeeSessionFact, seeSessionFact, type UnseeFact, unseeFact } from './facts.ts';
import { idUsedBefore, type SeeTaskExists, seeTaskExists, type SubmitTask, submitTask } from './submit.ts';
import { type SubmitPlan, submitPlan } from './plan.ts';
import { withSteps } from './steps.ts';
import { moneyFits, taskOf } from './tasks.ts';

/** Binds an HTTP key, by its hash. */
export type BindApiKey = { readonly type: 'BindApiKey'; readonly keyHash: string };
/** Revokes an HTTP key, by its hash. */
export type RevokeApiKey = { readonly type: 'RevokeApiKey'; readonly keyHash: string };

/** The chain says that a batch with settled tasks of the session is void. */
export type VoidBatch = {
  readonly type: 'VoidBatch';
  readonly batch: number;
  /** What its tasks had cost the session. */
  readonly returnedWei: Wei;
  readonly fault: string;
};

/** Every command to a session. */
export type SessionCommand =
  | SeeSessionFact
  | UnseeFact
  | SubmitTask
  | SubmitPlan
  | SeeTaskExists
  | BindApiKey
  | RevokeApiKey
  | VoidBatch
  | TaskCommand;

type State = Folded<SessionContext>;

/** What a command to a session leads to. */
export function decideSession(state: State, command: SessionCommand, env: Env): Decision<SessionEvent> {
  return withSteps(state, covered(state, decide(state, command, env)), env);
}

function decide(state: State, command: SessionCommand, env: Env): Decision<SessionEvent> {
  switch (command.type) {
    case 'SeeSessionFact':
      return restored(state, command.fact, seeSessionFact(state, command));
    case 'UnseeFact':
      return unseeFact(state, command, env);
    case 'SubmitTask':
      return submitTask(state, command, env);
    case 'SubmitPlan':
      return submitPlan(state, command, env);
    case 'SeeTaskExists':
      return seeTaskExists(state, command);
    case 'BindApiKey':
      return bindApiKey(state, command);
    case 'RevokeApiKey':
      return state.context.apiKeys.includes(command.keyHash)
        ? accept<SessionEvent>({ type: 'ApiKeyRevoked', keyHash: command.keyHash })
        : unchanged;
    case 'VoidBatch':
      return voidBatch(state, command);
    case 'SeeTaskFact':
      return restored(state, command.fact, seeTaskFact(state, command, env));
    case 'ClaimOffer':
      return claimOffer(state, command, env);
    default:
      return taskDecision(state, command.task, command, env);
  }
}

/** Refuses what the chain says about money that this session does not have, or not yet. */
function covered({ context }: State, decision: Decision<SessionEvent>): Decision<SessionEvent> {
  const event = decision.ok ? decision.events.find((one) => 'task' in one && !moneyFits(context, one)) : undefined;
  if (event === undefined) return decision;
  if (event.type === 'TaskSubmitted' || event.type === 'TaskQueuedOnChain') {
    return reject(
      'balance_reserved',
      `The escrow of ${event.task} is set aside here for tasks that are not on chain yet.`,
      {
        class: 'busy',
        hint: 'Try again once they are on chain or refused.',
      },
    );
  }
  return reject('escrow_mismatch', `${event.type} moves another amount than the escrow that is set aside.`, {
    class: 'corrupt',
  });
}

/** What the chain says about a task. A submission of long ago is not the one that a wish of today waits for. */
function seeTaskFact(state: State, command: SeeTaskFact, env: Env): Decision<SessionEvent> {
  const { task, type, place } = command.fact;
  const known = taskOf(state.context, task);
  if (known === undefined) return unchanged;
  const repeated = type === 'TaskSubmitted' && place !== null ? idUsedBefore(state, known, place) : undefined;
  return repeated ?? decideTask(known, command, env, state.context.terms);
}

/** A session that names its miners has no place for others; the contract holds to it too. */
function claimOffer(state: State, command: ClaimOffer, env: Env): Decision<SessionEvent> {
  const { terms } = state.context;
  const known = taskOf(state.context, command.task)?.context;
  const allowed = terms === null || known === undefined ? [] : allowedFor(known.dedicated, terms);
  if (allowed.length === 0 || allowed.includes(command.miner)) return taskDecision(state, command.task, command, env);
  return reject('miner_not_allowed', `The session names its miners, and ${command.miner} is none of them.`, {
    class: 'forbidden',
  });
}

/** What becomes of an ended task that is forgotten changes nothing any more, whatever an effect or a clock of it says. */
function taskDecision({ context }: State, task: TaskId, command: TaskCommand, env: Env): Decision<SessionEvent> {
  const known = taskOf(context, task);
  if (known !== undefined) return decideTask(known, command, env);
  if (command.type === 'TaskEffectFailed' || command.type === 'FireTaskTimer') return unchanged;
  return reject('task_not_found', `The session has no unfinished task ${task}.`, { class: 'not-found' });
}

/** What a void batch had drawn was never paid. */
function voidBatch({ value, context }: State, { batch, returnedWei, fault }: VoidBatch): Decision<SessionEvent> {
  if (value === 'opening' || value === 'closed' || context.voided?.includes(batch) === true) return unchanged;
  if (lessWei(context.money.paidWei, returnedWei)) {
    return reject('escrow_mismatch', `Batch ${batch} gives back more than the session has paid.`, { class: 'corrupt' });
  }
  return accept({ type: 'BatchVoided', batch, returnedWei, fault });
}

function bindApiKey({ value, context }: State, { keyHash }: BindApiKey): Decision<SessionEvent> {
  if (context.session === null || value === 'closed')
    return reject('session_not_open', 'A key can be bound to an open session only.', {
      class: 'forbidden',
      hint: 'Use a session that is open, or open another one.',
    });
  if (context.apiKeys.includes(keyHash)) return unchanged;
  if (context.apiKeys.length >= limits.sessionApiKeysMax) {
    return reject('too_many_keys', `A session has at most ${limits.sessionApiKeysMax} keys.`, {
      hint: 'Revoke one first.',
    });
  }
  return accept({ type: 'ApiKeyBound', keyHash });
}
