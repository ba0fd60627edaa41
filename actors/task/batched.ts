import { accept, type Decision, type Env, reject, unchanged } from '../../src/core/decision.ts';
import { digestToCid } from '../../src/core/cid.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, TaskId } from '../../src/core/ids.ts';
import type { Slot, TaskContext } from './context.ts';
import { outliersOf } from './manifest.ts';
import type { MinerScore, ResultValidated, Signed, TaskEvent, TaskFailed } from './events.ts';

/** The place of a task in a batch whose precommits are on chain. */
export type BatchMember = {
  readonly batch: number;
  readonly poster: Address;
  readonly position: number;
  /** The leaves of the batch's precommits, as content. */
  readonly leaves: Cid;
  /** The block that has their root. */
  readonly block: number;
};

/** A miner's place in the leaf of its task: fixed from then on, whoever shows something or does not. */
export type BatchSlot = { readonly miner: Address; readonly attempt: number; readonly hash: Hex };

/** What a validator has signed about a task of a batch. */
export type SignedVerdict = {
  readonly validator: Address;
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly report: Cid;
  readonly signature: Signed;
};

/** The owner of a batched session takes a task up: nothing of it is on chain before its batch. */
export type TaskTaken = {
  readonly type: 'TaskTaken';
  readonly task: TaskId;
  /** The newest block then: the beacon that draws its miners is later. */
  readonly afterBlock: number;
};
/** A validator has signed what it found; enough of one kind decide. */
export type VerdictSigned = SignedVerdict & { readonly type: 'VerdictSigned'; readonly task: TaskId };

/** Takes a task of a batched session up. */
export type TakeTask = { readonly type: 'TakeTask'; readonly task: TaskId; readonly afterBlock: number };
/** A validator's signed word; the sender has checked the signature. */
export type SignVerdict = {
  readonly type: 'SignVerdict';
  readonly task: TaskId;
  readonly validator: Address;
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly reportDigest: Hex;
  readonly signature: Signed;
  /** The scores from the report. */
  readonly scores: readonly MinerScore[];
};
/** A task of a batched session comes to nothing. */
export type GiveUpTask = {
  readonly type: 'GiveUpTask';
  readonly task: TaskId;
  readonly code: string;
  readonly reason: string;
};

/** Commands to a task of a batched session that no fact of the chain stands for. */
export type BatchedTaskCommand = TakeTask | SignVerdict | GiveUpTask;

type State = Folded<TaskContext>;

/** Whether a task is settled by a batch. */
export function isBatched({ batched }: TaskContext): boolean {
  return batched === true;
}

/** Whether the chain has, or may yet have, nothing of a task: what is set aside for it is back once it ends. */
export function isOffChain(context: TaskContext): boolean {
  return isBatched(context) ? context.batch === undefined : context.submittedBlock === 0;
}

/** Whether a validator of the task signs its first verdict. */
export function isNewVote({ votes = [], validators }: TaskContext, validator: Address): boolean {
  return validators.includes(validator) && !votes.some((vote) => vote.validator === validator);
}

/** The miners of a task as the leaf of its precommits has them. */
export function leafSlots({ slots, leaf }: TaskContext): readonly BatchSlot[] {
  return leaf ?? slots.map(({ miner, attempt, hash }: Slot) => ({ miner, attempt, hash: hash ?? '0x' }));
}

/** What a command to a task of a batched session leads to. */
export function decideBatched(state: State, command: BatchedTaskCommand, _env: Env): Decision<TaskEvent> {
  const { value, context } = state;
  if (!isBatched(context)) return reject('not_batched', `Task ${context.task} is settled by itself.`);
  switch (command.type) {
    case 'TakeTask':
      if (value !== 'queued' || context.submittedBlock > 0) return unchanged;
      return accept<TaskEvent>({ type: 'TaskTaken', task: command.task, afterBlock: command.afterBlock });
    case 'SignVerdict':
      return signVerdict(state, command);
    case 'GiveUpTask': {
      const { task, code, reason } = command;
      return accept(...givenUp(state, { type: 'TaskFailed', task, code, reason }));
    }
  }
}

/** The end of a task that will not be delivered. Once its batch is on chain, the money is back with the batch. */
function givenUp({ value, context }: State, failed: TaskFailed): TaskEvent[] {
  if (['new', 'settled', 'refunded'].includes(value)) return [];
  const failure = value === 'failed' ? [] : [failed];
  if (!isOffChain(context)) return failure;
  const { task, escrowWei } = context;
  return [...failure, { type: 'TaskRefunded', task, returnedWei: escrowWei, reason: 'never in a batch', seen: null }];
}

/** One word of each validator counts. More than half for the same outcome decide; once that cannot be, the task fails. */
function signVerdict({ value, context }: State, command: SignVerdict): Decision<TaskEvent> {
  const { task, validator, scores, type: _, reportDigest, ...found } = command;
  const votes = context.votes ?? [];
  if (!context.validators.includes(validator))
    return reject('not_validator', `${validator} is no validator of ${task}.`, { class: 'forbidden' });
  if (value !== 'committed' || votes.some((vote) => vote.validator === validator)) return unchanged;
  const revealed = new Set(context.slots.flatMap(({ phase, miner }) => (phase === 'committed' ? [miner] : [])));
  const { winner, honest } = found;
  if (!honest.includes(winner) || !honest.every((miner) => revealed.has(miner)))
    return reject('invalid_verdict', `The verdict of ${validator} names others than those that revealed.`);
  const vote: SignedVerdict = { validator, ...found, report: digestToCid(reportDigest) };
  const signed: VerdictSigned = { type: 'VerdictSigned', task, ...vote };
  const all = [...votes, vote];
  const alike = all.filter((one) => isAlike(one, vote));
  const needed = Math.floor(context.validators.length / 2) + 1;
  if (alike.length >= needed) return accept<TaskEvent>(signed, validated(context, vote, scores));
  const open = context.validators.length - all.length;
  const most = Math.max(...all.map((one) => all.filter((other) => isAlike(one, other)).length));
  if (most + open >= needed) return accept<TaskEvent>(signed);
  const reason = 'No outcome has more than half of the validators.';
  return accept<TaskEvent>(signed, { type: 'TaskFailed', task, code: 'no_quorum', reason });
}

/** Whether two validators have found the same; reports are each one's own. */
export function isAlike(one: SignedVerdict, other: SignedVerdict): boolean {
  return (
    one.winner === other.winner &&
    one.promptTokens === other.promptTokens &&
    one.outputTokens === other.outputTokens &&
    one.honest.length === other.honest.length &&
    one.honest.every((miner) => other.honest.includes(miner))
  );
}

function validated(context: TaskContext, vote: SignedVerdict, scores: readonly MinerScore[]): ResultValidated {
  const { winner, honest, promptTokens, outputTokens, report } = vote;
  const outliers = outliersOf(context, honest);
  const counted = { promptTokens, outputTokens };
  return {
    type: 'ResultValidated',
    task: context.task,
    winner,
    honest,
    outliers,
    scores,
    report,
    ...counted,
    seen: null,
  };
}
