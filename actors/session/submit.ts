import type { RouterGrant } from '../../src/core/allowance.ts';
import type { ChainPlace, SessionTerms } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import { type Address, type Cid, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, lessWei, minWei, subWei, timesWei, type Wei, zeroWei } from '../../src/core/wei.ts';
import type { TaskContext } from '../task/context.ts';
import { cancelRequest } from '../task/choose.ts';
import { neverSubmitted, queueTimer } from '../task/decide.ts';
import { queuedOnChain } from '../task/queued.ts';
import { seenAt, type TaskSubmitted } from '../task/events.ts';
import type { StepParent } from '../task/steps.ts';
import { factKey, isPast, isReverted } from './chain-memory.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { notGranted } from './grants.ts';
import { parentsNow } from './steps.ts';
import { endedUnsent, openTaskCount, taskOf } from './tasks.ts';

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
  /** What a router may still escrow by the chain, where the terms do not let it submit; absent where that is nothing. */
  readonly grant?: RouterGrant;
  /** The tasks that it comes after, of a step that came from the chain, and where in a row it stands. */
  readonly after?: readonly StepParent[];
  readonly step?: number;
  /** The chain's fact where the task came from there: then it is a fact, not a wish. */
  readonly onChain: { readonly escrowWei: Wei; readonly place: ChainPlace } | null;
};

/** The chain would not take a task, because it has had one of the same id since `submittedBlock`. */
export type SeeTaskExists = {
  readonly type: 'SeeTaskExists';
  readonly task: TaskId;
  readonly submittedBlock: number;
};

type State = Folded<SessionContext>;

/** What a submission leads to. */
export function submitTask(state: State, command: SubmitTask, env: Env): Decision<SessionEvent> {
  const { session, terms } = state.context;
  if (session === null || terms === null)
    return reject('session_not_found', 'There is no such session.', { class: 'not-found' });
  const task = taskId(session, command.requestId);
  const known = taskOf(state.context, task);
  const { onChain } = command;
  const isOther = onChain !== null && known !== undefined && endedUnsent(known);
  if (known !== undefined && !isOther) return submitAgain(state, known, command);
  const isSized =
    Number.isInteger(command.maxTokens) && command.maxTokens >= 1 && command.maxTokens <= limits.outputTokensMax;
  if (!isSized && onChain === null)
    return reject('invalid_max_tokens', `max_tokens must be 1 to ${limits.outputTokensMax}.`);
  const price = onChain?.escrowWei ?? priceBound(terms, command);
  const answer =
    onChain === null
      ? (refuse(state, command, price) ?? notGranted(state.context, command, [price], env.now))
      : seenBefore(state, task, onChain.place);
  if (answer !== undefined) return answer;
  const expiresAt = (onChain?.place.blockAt ?? env.now) + terms.queueTimeoutS * 1_000;
  const { after, step } = command;
  const submitted: TaskSubmitted = {
    ...submission(terms, task, { ...command, maxPriceWei: price }, expiresAt),
    ...(after === undefined || step === undefined ? {} : { after, step }),
    seen: onChain === null ? null : seenAt(onChain.place),
  };
  // A step waits for others first.
  if (submitted.after !== undefined)
    return accept<SessionEvent>(
      submitted,
      ...parentsNow(state.context, submitted, env),
      ...excessOf(state, task, isSized),
    );
  const timer: SessionEvent = { type: 'TimerSet', task, timer: queueTimer, at: expiresAt };
  // The chain takes any size and number of tasks: what is too much here is taken and ends at once, so that no miner
  // looks late for it.
  return accept<SessionEvent>(submitted, timer, ...excessOf(state, task, isSized));
}

/** A task as it is wanted, under the terms of its session. */
export function submission(
  terms: SessionTerms,
  task: TaskId,
  asked: Pick<SubmitTask, 'requestId' | 'by' | 'prompt' | 'model' | 'maxTokens'> & { readonly maxPriceWei: Wei },
  expiresAt: number,
): TaskSubmitted {
  return {
    type: 'TaskSubmitted',
    task,
    requestId: asked.requestId,
    by: asked.by,
    prompt: asked.prompt,
    model: asked.model ?? terms.model,
    maxTokens: asked.maxTokens,
    maxPriceWei: asked.maxPriceWei,
    redundancy: terms.redundancy,
    validators: terms.validators,
    similarityBps: terms.similarityBps,
    level: terms.level,
    ...(terms.mode === 'dedicated' ? { dedicated: true as const } : {}),
    expiresAt,
    ...(terms.settlement === 'batched' ? { batched: true } : {}),
    seen: null,
  };
}

/** What is too much here is taken from the chain and asked to end. */
function excessOf({ context }: State, task: TaskId, isSized: boolean): SessionEvent[] {
  const tooMuch = excess(context, isSized);
  return tooMuch === undefined ? [] : [cancelRequest(task, tooMuch)];
}

/** Why a task that the chain has is not worked on here; undefined where it is. */
function excess(context: SessionContext, isSized: boolean): string | undefined {
  if (!isSized) return 'invalid_max_tokens';
  return isFull(context) ? 'session_busy' : undefined;
}

function isFull(context: SessionContext): boolean {
  return openTaskCount(context) >= limits.sessionOpenTasksMax;
}

/** The same submission again, or another one under a used id. */
function submitAgain(state: State, known: Folded<TaskContext>, command: SubmitTask): Decision<SessionEvent> {
  const { task, prompt, maxTokens } = known.context;
  if (command.onChain !== null && known.value === 'queued') {
    const { escrowWei, place } = command.onChain;
    const promptDigest = cidToDigest(command.prompt);
    return (
      idUsedBefore(state, known, place) ??
      queuedOnChain(
        known,
        {
          task,
          promptDigest,
          maxTokens: command.maxTokens,
          escrowWei,
          after: (command.after ?? []).map((parent) => parent.task),
          seen: seenAt(place),
        },
        state.context.terms,
      )
    );
  }
  if (prompt === command.prompt && maxTokens === command.maxTokens) return unchanged;
  return reject('request_id_reused', 'This request id was used for another request.', {
    hint: 'Use a new id for a new request.',
  });
}

/**
 * What the chain tells of a task that is not known here, where it is no new one: it has ended and was forgotten, so it
 * must not live again, nor be paid again.
 */
function seenBefore({ value, context }: State, task: TaskId, place: ChainPlace): Decision<SessionEvent> | undefined {
  if (value === 'closed') return unchanged;
  const fact = { type: 'TaskSubmitted', task, place } as const;
  if (isReverted(context, fact))
    return accept({ type: 'ChainFactRestored', fact: fact.type, key: factKey(fact), seen: seenAt(place) });
  return isPast(context, place.block) ? unchanged : undefined;
}

/**
 * A wish under an id that the chain has used before: a task that ended long ago has it and is forgotten here. The wish
 * comes to nothing, and all that was set aside for it is back. What a reorg took back and gives again is no news either.
 */
export function idUsedBefore(
  { context }: State,
  known: Folded<TaskContext>,
  { block, txHash }: Pick<ChainPlace, 'block'> & Partial<Pick<ChainPlace, 'txHash'>>,
): Decision<SessionEvent> | undefined {
  const { task, submittedBlock } = known.context;
  const isUnsent = known.value === 'queued' && submittedBlock === 0;
  const isBack = txHash !== undefined && isReverted(context, { type: 'TaskSubmitted', task, place: { txHash } });
  if (!isUnsent || !(isBack || isPast(context, block))) return undefined;
  const reason = `The chain has had a task under this request id since block ${block}.`;
  return accept<SessionEvent>(...neverSubmitted(known.context, 'request_id_reused', reason));
}

/**
 * The chain refused a wish for its used id. Where the session has taken all facts of the block in which the id was
 * used, the wish comes to nothing; else the fact is on its way, and the task will be as it says.
 */
export function seeTaskExists(state: State, { task, submittedBlock }: SeeTaskExists): Decision<SessionEvent> {
  const known = taskOf(state.context, task);
  return (known === undefined ? undefined : idUsedBefore(state, known, { block: submittedBlock })) ?? unchanged;
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

/** What the least that can be delivered costs: the prompt, and one token of an answer. */
function leastPrice(terms: SessionTerms, { promptTokens }: Pick<SubmitTask, 'promptTokens'>): Wei {
  return priceBound(terms, { promptTokens, maxTokens: 1, maxPriceWei: null });
}

/** Why a wish is refused; undefined where it is taken. */
export function refuse(
  { value, context }: State,
  command: Pick<SubmitTask, 'by' | 'maxPriceWei' | 'promptTokens'>,
  price: Wei,
): Decision<never> | undefined {
  const { terms } = context;
  if (value === 'draining' || value === 'closed') {
    return reject('session_closing', `The session is ${value} and takes no new tasks.`, {
      class: 'forbidden',
      hint: 'Open a new session.',
    });
  }
  if (context.isAtRest) {
    return reject('session_inactive', 'The session rests: its owner has deactivated it, and it takes no new tasks.', {
      class: 'forbidden',
      hint: 'Use another session, or have its owner reactivate it on chain.',
    });
  }
  if (terms !== null && command.by !== context.client && !terms.routers.includes(command.by)) {
    return reject('router_may_not_submit', `${command.by} is not among the routers of the session.`, {
      class: 'forbidden',
      hint: 'Its owner has taken it off the list on chain: use another router of the session.',
    });
  }
  if (isFull(context)) {
    return reject('session_busy', `The session has ${limits.sessionOpenTasksMax} unfinished tasks, its bound.`, {
      class: 'busy',
      hint: 'Wait for some to end.',
    });
  }
  const floorWei = terms === null || command.maxPriceWei === null ? zeroWei : leastPrice(terms, command);
  if (command.maxPriceWei !== null && lessWei(command.maxPriceWei, floorWei)) {
    return reject('invalid_max_price', `For at most ${command.maxPriceWei} wei nothing could be delivered.`, {
      hint: `The prompt and one token of an answer cost ${floorWei} wei in this session.`,
      details: { leastWei: floorWei },
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
