import type { ChainFact, ChainPlace } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import { type Address, type Cid, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, lessWei, minWei, subWei, timesWei, type Wei } from '../../src/core/wei.ts';
import { restoreAssignment, revertAssignment } from '../task/assignment.ts';
import { cancelRequest, decideTask, queuedOnChain, queueTimer, type TaskCommand } from '../task/decide.ts';
import { type SeenAt, seenAt, type TaskSubmitted } from '../task/events.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { depositKey } from './machine.ts';
import { hasEnded, moneyFits, openTaskCount, taskState } from './tasks.ts';

/** The chain said something about the session itself. */
export type SeeSessionFact = {
  readonly type: 'SeeSessionFact';
  readonly fact: Extract<ChainFact, { type: `Session${string}` }>;
};
/** A reorg took back a fact about the session or one of its tasks. */
export type UnseeFact = { readonly type: 'UnseeFact'; readonly fact: ChainFact };
/** A task, from a router in the client's name or as the chain has it. */
export type SubmitTask = {
  readonly type: 'SubmitTask';
  readonly requestId: Hex;
  readonly by: Address;
  readonly prompt: Cid;
  readonly promptTokens: number;
  readonly maxTokens: number;
  /** The model it is for; the session's chat model where it is left out. */
  readonly model?: string;
  /** The submitter's own bound; null for the session's. */
  readonly maxPriceWei: Wei | null;
  /** The chain's fact where the task came from there: then it is a fact, not a wish. */
  readonly onChain: { readonly escrowWei: Wei; readonly place: ChainPlace } | null;
};
/** Binds an HTTP key, by its hash. */
export type BindApiKey = { readonly type: 'BindApiKey'; readonly keyHash: string };
/** Revokes an HTTP key, by its hash. */
export type RevokeApiKey = { readonly type: 'RevokeApiKey'; readonly keyHash: string };

/** Every command to a session. */
export type SessionCommand = SeeSessionFact | UnseeFact | SubmitTask | BindApiKey | RevokeApiKey | TaskCommand;

type State = Folded<SessionContext>;

/** What a command to a session leads to. */
export function decideSession(state: State, command: SessionCommand, env: Env): Decision<SessionEvent> {
  return covered(state, decide(state, command, env));
}

function decide(state: State, command: SessionCommand, env: Env): Decision<SessionEvent> {
  switch (command.type) {
    case 'SeeSessionFact':
      return restored(state, command.fact, seeSessionFact(state, command));
    case 'UnseeFact':
      return unseeFact(state, command, env);
    case 'SubmitTask':
      return submitTask(state, command, env);
    case 'BindApiKey':
      return bindApiKey(state, command);
    case 'RevokeApiKey':
      return state.context.apiKeys.includes(command.keyHash)
        ? accept<SessionEvent>({ type: 'ApiKeyRevoked', keyHash: command.keyHash })
        : unchanged;
    case 'SeeTaskFact':
      return restored(state, command.fact, taskDecision(state, command.fact.task, command, env));
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

function taskDecision({ context }: State, task: TaskId, command: TaskCommand, env: Env): Decision<SessionEvent> {
  if (context.tasks[task] === undefined) {
    if (command.type === 'SeeTaskFact' || command.type === 'FireTaskTimer') return unchanged;
    return reject('task_not_found', `The session has no unfinished task ${task}.`, { class: 'not-found' });
  }
  return decideTask(taskState(context, task), command, env);
}

/** Names a fact so that it is recognised when a reorg takes it back or brings it again. */
export function factKey({ type, place }: ChainFact): string {
  return `${place.txHash}:${type}`;
}

function seeSessionFact({ value, context }: State, { fact }: SeeSessionFact): Decision<SessionEvent> {
  const seen = seenAt(fact.place);
  switch (fact.type) {
    case 'SessionOpened':
      if (context.session !== null) return unchanged;
      return accept({ type: 'SessionOpened', session: fact.session, client: fact.client, terms: fact.terms, seen });
    case 'SessionDeposited':
      if (context.session === null)
        return reject('session_not_found', `Session ${fact.session} is not open here.`, { class: 'not-found' });
      if (value === 'closed' || context.deposits[depositKey(seen, fact.from)] !== undefined) return unchanged;
      return accept({ type: 'SessionDeposited', from: fact.from, amountWei: fact.amountWei, seen });
    case 'SessionDraining':
      return value === 'open' || value === 'suspended' ? accept({ type: 'SessionDraining', seen }) : unchanged;
    case 'SessionClosed':
      if (value === 'closed' || value === 'opening') return unchanged;
      return close(context, fact.refundedWei, seen);
  }
}

/** Tasks that were set aside for and never got on chain end before the session does. */
function close(context: SessionContext, refundedWei: Wei, seen: SeenAt): Decision<SessionEvent> {
  const open = Object.values(context.tasks).filter((task) => !hasEnded(task));
  const unsent = open.filter((task) => task.context.submittedBlock === 0);
  const leftWei = addWei(context.money.balanceWei, ...unsent.map((task) => task.context.escrowWei));
  if (unsent.length < open.length || leftWei !== refundedWei) {
    return reject(
      'refund_mismatch',
      `The chain closed the session with ${refundedWei} wei; here it has ${leftWei} and ${open.length} open tasks.`,
      { class: 'corrupt' },
    );
  }
  const ends = unsent.flatMap(({ context: { task, escrowWei } }): SessionEvent[] => [
    {
      type: 'TaskFailed',
      task,
      code: 'session_closed',
      reason: 'The session was closed before the task was on chain.',
    },
    { type: 'TaskRefunded', task, returnedWei: escrowWei, reason: 'never submitted', seen: null },
  ]);
  return accept<SessionEvent>(...ends, { type: 'SessionClosed', refundedWei, seen });
}

function unseeFact({ value, context }: State, { fact }: UnseeFact, env: Env): Decision<SessionEvent> {
  const seen = seenAt(fact.place);
  if (fact.type === 'SessionDeposited') {
    const counted = context.deposits[depositKey(seen, fact.from)];
    if (counted === undefined) return unchanged;
    if (value !== 'closed' && counted === fact.amountWei && !lessWei(context.money.balanceWei, counted)) {
      return accept({ type: 'SessionDepositReverted', from: fact.from, amountWei: fact.amountWei, seen });
    }
  }
  if (fact.type === 'SessionClosed' && value === 'closed' && fact.refundedWei === context.money.refundedWei)
    return accept({ type: 'SessionCloseReverted', refundedWei: fact.refundedWei, seen });
  const key = factKey(fact);
  if (context.reverted[key] !== undefined) return unchanged;
  const isAssignment = fact.type === 'MinersAssigned' && value !== 'closed';
  const task = isAssignment ? revertAssignment(taskState(context, fact.task), seen, env) : [];
  return accept<SessionEvent>({ type: 'ChainFactReverted', fact: fact.type, key, seen }, ...task);
}

/** Puts the note that a fact stands again before what it leads to. */
function restored(
  { value, context }: State,
  fact: ChainFact,
  decision: Decision<SessionEvent>,
): Decision<SessionEvent> {
  const key = factKey(fact);
  if (context.reverted[key] === undefined || !decision.ok) return decision;
  const seen = seenAt(fact.place);
  const isAssignment = fact.type === 'MinersAssigned' && value !== 'closed';
  const task = isAssignment ? restoreAssignment(taskState(context, fact.task), seen) : [];
  return accept<SessionEvent>({ type: 'ChainFactRestored', fact: fact.type, key, seen }, ...task, ...decision.events);
}

function bindApiKey({ value, context }: State, { keyHash }: BindApiKey): Decision<SessionEvent> {
  if (context.session === null || value === 'closed')
    return reject('session_not_open', 'A key can be bound to an open session only.', { class: 'forbidden' });
  if (context.apiKeys.includes(keyHash)) return unchanged;
  if (context.apiKeys.length >= limits.sessionApiKeysMax) {
    return reject('too_many_keys', `A session has at most ${limits.sessionApiKeysMax} keys.`, {
      hint: 'Revoke one first.',
    });
  }
  return accept({ type: 'ApiKeyBound', keyHash });
}

function submitTask(state: State, command: SubmitTask, env: Env): Decision<SessionEvent> {
  const { value, context } = state;
  const { session, terms } = context;
  if (session === null || terms === null)
    return reject('session_not_found', 'There is no such session.', { class: 'not-found' });
  const task = taskId(session, command.requestId);
  const known = context.tasks[task];
  if (known !== undefined) {
    if (command.onChain !== null && known.value === 'queued') {
      const { escrowWei, place } = command.onChain;
      return queuedOnChain(known, {
        task,
        promptDigest: cidToDigest(command.prompt),
        maxTokens: command.maxTokens,
        escrowWei,
        seen: seenAt(place),
      });
    }
    if (known.context.prompt === command.prompt && known.context.maxTokens === command.maxTokens) return unchanged;
    return reject('request_id_reused', 'This request id was used for another request.', {
      hint: 'Use a new id for a new request.',
    });
  }
  const isSized =
    Number.isInteger(command.maxTokens) && command.maxTokens >= 1 && command.maxTokens <= limits.outputTokensMax;
  if (!isSized && command.onChain === null) {
    return reject('invalid_max_tokens', `max_tokens must be 1 to ${limits.outputTokensMax}.`);
  }
  const price = command.onChain?.escrowWei ?? priceBound(terms, command);
  const refusal = command.onChain === null ? refuse(state, command, price) : undefined;
  if (refusal !== undefined) return refusal;
  if (value === 'closed') return unchanged;
  const expiresAt = (command.onChain?.place.blockAt ?? env.now) + terms.queueTimeoutS * 1_000;
  const submitted: TaskSubmitted = {
    type: 'TaskSubmitted',
    task,
    requestId: command.requestId,
    by: command.by,
    prompt: command.prompt,
    model: command.model ?? terms.model,
    maxTokens: command.maxTokens,
    maxPriceWei: price,
    redundancy: terms.redundancy,
    validators: terms.validators,
    similarityBps: terms.similarityBps,
    level: terms.level,
    expiresAt,
    seen: command.onChain === null ? null : seenAt(command.onChain.place),
  };
  const timer: SessionEvent = { type: 'TimerSet', task, timer: queueTimer, at: expiresAt };
  // The chain takes any number of tokens; no miner does, and none shall look late for it.
  return isSized
    ? accept<SessionEvent>(submitted, timer)
    : accept<SessionEvent>(submitted, timer, cancelRequest(task, 'invalid_max_tokens'));
}

/** The most a task can cost: its tokens at the session's prices, never above the session's or the submitter's bound. */
export function priceBound(
  terms: { promptTokenWei: Wei; outputTokenWei: Wei; maxTaskPriceWei: Wei },
  task: { promptTokens: number; maxTokens: number; maxPriceWei: Wei | null },
): Wei {
  const full = addWei(
    timesWei(terms.promptTokenWei, task.promptTokens),
    timesWei(terms.outputTokenWei, task.maxTokens),
  );
  const bound = minWei(full, terms.maxTaskPriceWei);
  return task.maxPriceWei === null ? bound : minWei(bound, task.maxPriceWei);
}

function refuse({ value, context }: State, command: SubmitTask, price: Wei): Decision<never> | undefined {
  const { terms } = context;
  if (value === 'draining' || value === 'closed') {
    return reject('session_closing', `The session is ${value} and takes no new tasks.`, {
      class: 'forbidden',
      hint: 'Open a new session.',
    });
  }
  if (terms?.routerMaySubmit === false && command.by !== context.client) {
    return reject('router_may_not_submit', 'The session allows submissions from its owner only.', {
      class: 'forbidden',
      hint: 'Submit on chain, or open a session with routerMaySubmit.',
    });
  }
  if (openTaskCount(context) >= limits.sessionOpenTasksMax) {
    return reject('session_busy', `The session has ${limits.sessionOpenTasksMax} unfinished tasks, its bound.`, {
      class: 'busy',
      hint: 'Wait for some to end.',
    });
  }
  const { balanceWei } = context.money;
  if (price === '0' || lessWei(balanceWei, price)) {
    const topUpWei = price === '0' ? price : subWei(price, balanceWei);
    return reject('insufficient_balance', `The task may cost up to ${price} wei; the session has ${balanceWei}.`, {
      class: 'payment',
      hint: `Deposit at least ${topUpWei} wei more.`,
      details: { requiredWei: price, balanceWei, topUpWei },
    });
  }
  return undefined;
}
