import type { ChainFact, ChainPlace, SessionTerms } from '../../src/core/chain-fact.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { Wei } from '../../src/core/wei.ts';
import { seeAppeal } from './appeals.ts';
import { loseAssignment, restoreTimer } from './assignment.ts';
import { type ClaimOffer, claimOffer, type LapseClaim, lapseClaim } from './claims.ts';
import { type ChooseMiners, cancelRequest, chooseMiners } from './choose.ts';
import type { TaskContext } from './context.ts';
import { type BatchedTaskCommand, type BatchMember, decideBatched, isBatched } from './batched.ts';
import { type Delivered, type MinerScore, type SeenAt, seenOrSigned, type Signed, type TaskEvent } from './events.ts';
import { outliersOf } from './manifest.ts';
import { queuedOnChain } from './queued.ts';

/** A fact about one task: the chain says so, or, in a batched session and without a place, nodes have signed what leads to it. */
export type TaskFact = WithPlace<Extract<ChainFact, { readonly task: TaskId }>>;
type WithPlace<Fact> = Fact extends ChainFact ? Omit<Fact, 'place'> & { readonly place: ChainPlace | null } : never;

/** The chain said something about the task; what the fact only names by digest comes along as data. */
export type SeeTaskFact = {
  readonly type: 'SeeTaskFact';
  readonly fact: TaskFact;
  /** For a `TaskRevealed` of the miner that streamed: whether the stream had the same root. */
  readonly streamed?: 'match' | 'mismatch' | 'unseen';
  /** For a `ResultValidated`: the scores from the report. */
  readonly scores?: readonly MinerScore[];
  /** For a `MinerReassigned` of the miner that is read: what the client has been given of it. */
  readonly delivered?: Delivered;
  /** For a `TaskPrecommitted` that the miner has signed and not sent. */
  readonly signature?: Signed;
  /** For a `TaskRevealed` that a batch shows. */
  readonly salt?: Hex;
  /** For an `AllPrecommitted` of a task whose precommits a batch binds. */
  readonly batch?: BatchMember;
  /** For a `TaskSettled` by a batch: where its outcomes are. */
  readonly posted?: SeenAt;
};

/** The client, or the one who acts for it, no longer wants the task. */
export type CancelTask = { readonly type: 'CancelTask'; readonly task: TaskId; readonly reason: string };
/** The words the client reads now come from another miner. */
export type ReplacePrimary = {
  readonly type: 'ReplacePrimary';
  readonly task: TaskId;
  readonly to: Address;
  readonly deliveredTokens: number;
  readonly prefixHash: string;
};
/** The chain refused, for good, what an effect asked for. */
export type TaskEffectFailed = {
  readonly type: 'TaskEffectFailed';
  readonly task: TaskId;
  readonly effect: string;
  readonly code: string;
  readonly reason: string;
};
/** A timer of the task is due. */
export type FireTaskTimer = { readonly type: 'FireTaskTimer'; readonly task: TaskId; readonly timer: string };

/** Every command to a task, but for its submission, which the session decides. */
export type TaskCommand =
  | BatchedTaskCommand
  | ClaimOffer
  | LapseClaim
  | ChooseMiners
  | SeeTaskFact
  | CancelTask
  | ReplacePrimary
  | TaskEffectFailed
  | FireTaskTimer;

/** The queue-wait clock's name. */
export const queueTimer = 'queue';

type State = Folded<TaskContext>;

/**
 * What a command to a task leads to. Facts seen before, or overtaken, change nothing.
 *
 * @param terms the session's terms now, for what the chain says.
 */
export function decideTask(
  state: State,
  command: TaskCommand,
  env: Env,
  terms: SessionTerms | null = null,
): Decision<TaskEvent> {
  switch (command.type) {
    case 'ClaimOffer':
      return claimOffer(state, command, env);
    case 'LapseClaim':
      return lapseClaim(state, command, env);
    case 'ChooseMiners':
      return chooseMiners(state, command);
    case 'SeeTaskFact':
      return seeFact(state, command, terms);
    case 'CancelTask':
      return cancel(state, command);
    case 'ReplacePrimary':
      return replacePrimary(state, command);
    case 'TaskEffectFailed':
      return effectFailed(state, command);
    case 'FireTaskTimer':
      return fireTimer(state, command, env);
    case 'TakeTask':
    case 'SignVerdict':
    case 'GiveUpTask':
      return decideBatched(state, command, env);
  }
}

function seeFact(state: State, command: SeeTaskFact, terms: SessionTerms | null): Decision<TaskEvent> {
  const { fact } = command;
  const { value, context } = state;
  const { task } = fact;
  // Nobody's word but the chain's moves a task that is settled by itself, and no fact of the queue one of a batch.
  if (isBatched(context) !== (fact.place === null) && value !== 'new') return unchanged;
  const seen = seenOrSigned(fact.place);
  switch (fact.type) {
    case 'TaskSubmitted':
      if (seen === null) return unchanged;
      return queuedOnChain(
        state,
        {
          task,
          promptDigest: fact.promptDigest,
          maxTokens: fact.maxTokens,
          escrowWei: fact.maxPriceWei,
          after: fact.after ?? [],
          seen,
        },
        terms,
      );
    case 'MinersAssigned':
      if (value !== 'queued' || context.submittedBlock === 0) return unchanged;
      return accept({
        type: 'MinersAssigned',
        task,
        miners: fact.miners,
        validators: fact.validators,
        ackBy: fact.ackBy,
        seen,
      });
    case 'TaskAcked':
      if (!['assigned', 'executing'].includes(value) || phaseOf(context, fact.miner) !== 'assigned') return unchanged;
      return accept({ type: 'TaskAcked', task, miner: fact.miner, precommitBy: fact.precommitBy, seen });
    case 'TaskPrecommitted':
      if (value !== 'executing' || phaseOf(context, fact.miner) !== 'acked') return unchanged;
      return accept<TaskEvent>({
        type: 'TaskPrecommitted',
        task,
        miner: fact.miner,
        hash: fact.hash,
        ...signatureOf(command),
        seen,
      });
    case 'AllPrecommitted':
      return value === 'executing'
        ? accept<TaskEvent>({ type: 'AllPrecommitted', task, revealBy: fact.revealBy, ...batchOf(command), seen })
        : unchanged;
    case 'TaskRevealed':
      if (value !== 'precommitted' || phaseOf(context, fact.miner) !== 'precommitted') return unchanged;
      return accept(committed(fact, command, seen));
    case 'AllRevealed':
      return value === 'precommitted'
        ? accept({ type: 'AllCommitted', task, attestBy: fact.attestBy, seen })
        : unchanged;
    case 'MinerReassigned': {
      if (!['assigned', 'executing', 'precommitted'].includes(value) || phaseOf(context, fact.miner) === undefined)
        return unchanged;
      const { miner, replacement, attempt, oracle, ackBy } = fact;
      const delivered = command.delivered === undefined ? {} : { delivered: command.delivered };
      return accept({ type: 'MinerTimedOut', task, miner, replacement, attempt, oracle, ackBy, ...delivered, seen });
    }
    case 'ResultValidated':
      return value === 'committed' ? accept(validated(context, fact, command.scores ?? [], seen)) : unchanged;
    case 'OutcomeAppealed':
    case 'AppealDecided':
    case 'AppealUndecided':
      return seeAppeal(state, fact, seen);
    case 'TaskSettled':
      return value === 'validated' || value === 'failed' ? accept(settled(fact, command, seen)) : unchanged;
    case 'TaskRefunded':
      return refunded(state, task, fact.returnedWei, fact.reason, seen);
    case 'AppealDrawn':
    case 'AppealAttested':
    case 'ResultAttested':
      return unchanged;
  }
}

/** What comes along where a node has signed, or a batch binds, what the chain says of a task that is settled by itself. */
function signatureOf({ signature }: SeeTaskFact): { readonly signature?: Signed } {
  return signature === undefined ? {} : { signature };
}

function batchOf({ batch }: SeeTaskFact): { readonly batch?: BatchMember } {
  return batch === undefined ? {} : { batch };
}

function committed(
  { task, miner, resultRoot, resultDigest }: Extract<TaskFact, { type: 'TaskRevealed' }>,
  { streamed = 'unseen', salt }: SeeTaskFact,
  seen: SeenAt | null,
): TaskEvent {
  const result = digestToCid(resultDigest);
  const shown = { resultRoot, result, streamed, ...(salt === undefined ? {} : { salt }) };
  return { type: 'TaskCommitted', task, miner, ...shown, seen };
}

function settled(
  { task, priceWei, returnedWei, payments, manifestDigest }: Extract<TaskFact, { type: 'TaskSettled' }>,
  { posted }: SeeTaskFact,
  seen: SeenAt | null,
): TaskEvent {
  const money = { priceWei, returnedWei, payments, manifest: digestToCid(manifestDigest) };
  return { type: 'TaskSettled', task, ...money, ...(posted === undefined ? {} : { posted }), seen };
}

function phaseOf(context: TaskContext, miner: Address): string | undefined {
  return context.slots.find((slot) => slot.miner === miner)?.phase;
}

function validated(
  context: TaskContext,
  fact: Extract<TaskFact, { type: 'ResultValidated' }>,
  scores: readonly MinerScore[],
  seen: SeenAt | null,
): TaskEvent {
  const { task, winner, honest, promptTokens, outputTokens } = fact;
  return {
    type: 'ResultValidated',
    task,
    winner,
    honest,
    outliers: outliersOf(context, honest),
    scores,
    report: digestToCid(fact.reportDigest),
    promptTokens,
    outputTokens,
    seen,
  };
}

function refunded(
  { value, context }: State,
  task: TaskId,
  returnedWei: Wei,
  reason: string,
  seen: SeenAt | null,
): Decision<TaskEvent> {
  if (['new', 'settled', 'refunded'].includes(value)) return unchanged;
  const refund: TaskEvent = { type: 'TaskRefunded', task, returnedWei, reason, seen };
  if (value === 'failed') return accept(refund);
  if (context.parentFailed === true || reason === 'parent_failed')
    return accept<TaskEvent>(parentFailure(task), refund);
  const why = context.cancelRequested ? 'cancelled' : reason;
  const code = context.endsAs ?? `task_${why}`;
  return accept<TaskEvent>(
    { type: 'TaskFailed', task, code, reason: `The task was ended on chain: ${reason}.` },
    refund,
  );
}

/** Why a step fails that never began. */
export function parentFailure(task: TaskId): TaskEvent {
  const reason = 'A task that it comes after ended without an answer.';
  return { type: 'TaskFailed', task, code: 'parent_failed', reason };
}

function cancel({ value, context }: State, { task, reason }: CancelTask): Decision<TaskEvent> {
  if (['settled', 'refunded', 'failed'].includes(value) || context.cancelRequested) return unchanged;
  if (['queued', 'assigned', 'executing'].includes(value)) return accept(cancelRequest(task, reason));
  return reject('task_not_cancellable', `Task ${task} is ${value}: its work is done and will be settled.`, {
    class: 'forbidden',
  });
}

function replacePrimary({ value, context }: State, command: ReplacePrimary): Decision<TaskEvent> {
  const { task, to, deliveredTokens, prefixHash } = command;
  const open = ['assigned', 'executing', 'precommitted', 'committed'].includes(value);
  const isMiner = context.slots.some((slot) => slot.miner === to);
  if (!open || !isMiner || context.primary === null || context.primary === to) return unchanged;
  if (context.joins.length >= limits.taskJoinsMax) return unchanged;
  return accept({ type: 'PrimaryReplaced', task, from: context.primary, to, deliveredTokens, prefixHash });
}

function effectFailed(state: State, { task, effect, code, reason }: TaskEffectFailed): Decision<TaskEvent> {
  const { value, context } = state;
  if (effect === 'submitOnChain' && value === 'queued' && context.submittedBlock === 0) {
    return accept<TaskEvent>(...neverSubmitted(context, context.parentFailed ? 'parent_failed' : code, reason));
  }
  if (effect === 'assignOnChain' && value === 'queued' && context.selected)
    return accept({ type: 'SelectionRefused', task, reason });
  return unchanged;
}

/** The end of a task that never came onto the chain: what was set aside for it is back at once. */
export function neverSubmitted({ task, escrowWei }: TaskContext, code: string, reason: string): TaskEvent[] {
  return [
    { type: 'TaskFailed', task, code, reason },
    { type: 'TaskRefunded', task, returnedWei: escrowWei, reason: 'never submitted', seen: null },
  ];
}

function fireTimer(state: State, { task, timer }: FireTaskTimer, env: Env): Decision<TaskEvent> {
  const at = state.context.timers[timer];
  if (at === undefined || at > env.now) return unchanged;
  if (timer === restoreTimer) return accept<TaskEvent>(loseAssignment(state));
  const fired: TaskEvent = { type: 'TimerFired', task, timer };
  const isLate = timer === queueTimer && state.context.after !== undefined && !state.context.cancelRequested;
  return isLate ? accept<TaskEvent>(fired, cancelRequest(task, 'expired')) : accept(fired);
}
