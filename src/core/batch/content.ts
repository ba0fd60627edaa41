import { assert } from '../assert.ts';
import type { Hex } from '../hash.ts';
import type { Address, Cid, SessionId } from '../ids.ts';
import type { Wei } from '../wei.ts';
import { buildOutcomes, buildPrecommits, buildReveals, type TaskRecord, type VerdictRecord } from './build.ts';
import type { BatchData } from './challenge.ts';
import type { LineTotals } from './payments.ts';
import type { BatchHeader } from './rules.ts';

/** A task of a batch as its content has it. */
export type BatchTask = Omit<TaskRecord, 'slots' | 'verdict' | 'session'> & {
  readonly session: SessionId;
  /** The contract's own number of the session. */
  readonly number: number;
  readonly slots: readonly { readonly miner: Address; readonly attempt: number; readonly precommit: Hex }[];
};

/** What the manifest of a batch's precommits names. */
export type BatchTasks = { readonly kind: 'batch-tasks'; readonly v: 1; readonly tasks: readonly BatchTask[] };

/** What a miner showed; null where it did not. */
export type Shown = { readonly resultRoot: Hex; readonly salt: Hex } | null;

/** What the manifest of a batch's reveals names. */
export type BatchReveals = {
  readonly kind: 'batch-reveals';
  readonly v: 1;
  readonly tasks: Cid;
  readonly shown: readonly (readonly Shown[])[];
};

/** A verdict with the signatures of those that stand by it. */
export type SignedOutcome = VerdictRecord & { readonly signatures: readonly { readonly r: Hex; readonly vs: Hex }[] };

/** What the manifest of a batch's outcomes names: enough to make all its trees. */
export type BatchOutcomes = {
  readonly kind: 'batch-outcomes';
  readonly v: 1;
  readonly reveals: Cid;
  /** By task; null where it failed. */
  readonly verdicts: readonly (SignedOutcome | null)[];
  /** What accounts that are paid had from the poster's line before. */
  readonly line: readonly (readonly [account: Address, totalWei: Wei, batch: number])[];
};

/** A batch's content as far as it is there. */
export interface BatchContent {
  readonly tasks: BatchTasks;
  readonly reveals?: BatchReveals;
  readonly outcomes?: BatchOutcomes;
}

/** The tasks of a batch with all that its content says of them. */
export function taskRecords({ tasks, reveals, outcomes }: BatchContent): readonly TaskRecord[] {
  return tasks.tasks.map(({ session: _, number, slots, ...task }, position): TaskRecord => {
    const shown = reveals?.shown[position];
    const verdict = outcomes?.verdicts[position];
    return {
      ...task,
      session: number,
      slots: slots.map((slot, index) => {
        const revealed = shown?.[index];
        return revealed === undefined || revealed === null ? slot : { ...slot, revealed };
      }),
      ...(verdict === undefined || verdict === null ? {} : { verdict }),
    };
  });
}

/** What the line had paid before, as {@link buildOutcomes} takes it. */
export function lineOf(entries: BatchOutcomes['line']): LineTotals {
  return new Map(entries.map(([account, totalWei, batch]) => [account, { totalWei, batch }]));
}

/** All trees of a posted batch, made again from its content. */
export function batchData(id: number, header: BatchHeader, content: BatchContent): BatchData {
  const { outcomes } = content;
  assert(outcomes !== undefined && content.reveals !== undefined, 'a posted batch has all its content');
  const precommits = buildPrecommits(taskRecords(content));
  const post = buildOutcomes(id, header, precommits, lineOf(outcomes.line));
  return {
    id,
    header,
    precommit: precommits.tree,
    reveal: buildReveals(precommits),
    outcome: post.outcomes,
    payment: post.payments,
  };
}
