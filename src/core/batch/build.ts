import { assert } from '../assert.ts';
import { PouwError } from '../errors.ts';
import type { Hex } from '../hash.ts';
import type { Address, TaskId } from '../ids.ts';
import { limits } from '../limits.ts';
import { addWei, subWei, type Wei, zeroWei } from '../wei.ts';
import { type OutcomeLeaf, type PaymentLeaf, type PrecommitLeaf, type RevealLeaf, zeroHash } from './leaves.ts';
import { lineAfter, type LineTotals, paymentsOf } from './payments.ts';
import { type BatchHeader, isIn, priceOf, revealedIn, type SessionPart } from './rules.ts';
import { batchTree, type BatchTree } from './tree.ts';

/** One miner's part of a task. */
export interface SlotRecord {
  readonly miner: Address;
  readonly attempt: number;
  readonly precommit: Hex;
  /** What it showed; undefined where it did not. */
  readonly revealed?: { readonly resultRoot: Hex; readonly salt: Hex };
}

/** What validators agreed on about a task. */
export type VerdictRecord = {
  /** The winner's slot. */
  readonly winner: number;
  /** The slots to pay, one bit each. */
  readonly honest: number;
  /** The validators that signed, one bit each. */
  readonly voters: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
};

/** A task as its router knows it when it comes into a batch. */
export interface TaskRecord {
  readonly session: number;
  readonly task: TaskId;
  readonly step: number;
  readonly maxPriceWei: Wei;
  readonly slots: readonly SlotRecord[];
  readonly validators: readonly Address[];
  /** Undefined where the task failed, which costs nothing. */
  readonly verdict?: VerdictRecord;
}

/** What the poster of precommits asks of one session; the contract's `SessionShare`. */
export type SessionShare = {
  readonly session: number;
  readonly tasks: number;
  readonly reservedWei: Wei;
};

/** The first post of a batch. */
export interface PrecommitPost {
  readonly records: readonly TaskRecord[];
  readonly shares: readonly SessionShare[];
  readonly tree: BatchTree<PrecommitLeaf>;
}

/** Orders tasks by session, as a batch wants them, and binds what was given out and precommitted. */
export function buildPrecommits(given: readonly TaskRecord[]): PrecommitPost {
  assert(given.length > 0, 'a batch has a task');
  requireAtMost(given.length, limits.batchTasksMax, 'tasks');
  const records = given.toSorted((a, b) => a.session - b.session);
  const leaves = records.map((record, position) => ({
    position,
    session: record.session,
    task: record.task,
    step: record.step,
    maxPriceWei: record.maxPriceWei,
    miners: record.slots.map(({ miner }) => miner),
    attempts: record.slots.map(({ attempt }) => attempt),
    precommits: record.slots.map(({ precommit }) => precommit),
    validators: record.validators,
  }));
  const shares: SessionShare[] = [];
  for (const { session, maxPriceWei } of records) {
    const share = shares.at(-1);
    if (share?.session !== session) shares.push({ session, tasks: 1, reservedWei: maxPriceWei });
    else {
      const reservedWei = addWei(share.reservedWei, maxPriceWei);
      shares[shares.length - 1] = { session, tasks: share.tasks + 1, reservedWei };
    }
  }
  requireAtMost(shares.length, limits.batchSessionsMax, 'sessions');
  return { records, shares, tree: batchTree('precommit', leaves) };
}

function requireAtMost(count: number, maximum: number, what: string): void {
  if (count <= maximum) return;
  throw new PouwError('batch_too_large', `A batch has at most ${maximum} ${what}, not ${count}.`, {
    class: 'too-large',
    hint: 'Make several batches of it.',
    details: { count, maximum },
  });
}

/** The second post of a batch: binds what the miners showed. */
export function buildReveals({ records }: PrecommitPost): BatchTree<RevealLeaf> {
  const leaves = records.map(({ task, slots }, position) => ({
    position,
    task,
    resultRoots: slots.map(({ revealed }) => revealed?.resultRoot ?? zeroHash),
    salts: slots.map(({ revealed }) => revealed?.salt ?? zeroHash),
  }));
  return batchTree('reveal', leaves);
}

/** The third post of a batch. */
export interface OutcomePost {
  readonly outcomes: BatchTree<OutcomeLeaf>;
  readonly payments: BatchTree<PaymentLeaf>;
  /** What each session pays, in the order of the header's. */
  readonly drawnWei: readonly Wei[];
  /** The line's totals with this batch in it. */
  readonly line: LineTotals;
}

/** Binds how the tasks ended, what that costs, and who is paid. */
export function buildOutcomes(
  batch: number,
  header: Pick<BatchHeader, 'poster' | 'rates' | 'sessions'>,
  precommits: PrecommitPost,
  line: LineTotals,
): OutcomePost {
  const shown = buildReveals(precommits).leaves;
  const outcomes: OutcomeLeaf[] = [];
  const drawnWei: Wei[] = [];
  for (const part of header.sessions) {
    let sums = { sessionPriceWei: zeroWei, sessionRefundWei: zeroWei };
    for (let count = 0; count < part.tasks; count += 1) {
      const position = outcomes.length;
      const record = precommits.records[position];
      const reveal = shown[position];
      assert(record !== undefined && reveal !== undefined, 'the header is of another batch');
      const outcome = outcomeOf(part, record, reveal, position);
      sums = {
        sessionPriceWei: addWei(sums.sessionPriceWei, outcome.priceWei),
        sessionRefundWei: addWei(sums.sessionRefundWei, outcome.refundWei),
      };
      outcomes.push({ ...outcome, ...sums });
    }
    drawnWei.push(sums.sessionPriceWei);
  }
  const tasks = precommits.tree.leaves.slice(0, outcomes.length);
  const payments = paymentsOf(header.rates, header.poster, tasks, outcomes, line);
  requireAtMost(payments.length, limits.batchPaymentsMax, 'payments');
  return {
    outcomes: batchTree('outcome', outcomes),
    payments: batchTree('payment', payments),
    drawnWei,
    line: lineAfter(line, batch, payments),
  };
}

/** An outcome without its sums. At level 0 nobody compares: whoever revealed is honest and the first of them wins. */
function outcomeOf(part: SessionPart, record: TaskRecord, reveal: RevealLeaf, position: number): OutcomeLeaf {
  const revealed = revealedIn(reveal);
  const verdict: VerdictRecord | undefined =
    part.level !== 0
      ? record.verdict
      : revealed === 0
        ? undefined
        : { winner: lowestIn(revealed), honest: revealed, voters: 0, promptTokens: 0, outputTokens: 0 };
  const none = { winner: 0, honest: 0, voters: 0, promptTokens: 0, outputTokens: 0 };
  const priceWei = verdict === undefined ? zeroWei : pricePaid(part, verdict, record.maxPriceWei);
  return {
    position,
    task: record.task,
    step: record.step,
    ...(verdict ?? none),
    priceWei,
    refundWei: subWei(record.maxPriceWei, priceWei),
    sessionPriceWei: zeroWei,
    sessionRefundWei: zeroWei,
  };
}

function pricePaid(part: SessionPart, verdict: VerdictRecord, maxPriceWei: Wei): Wei {
  return part.level === 0 ? maxPriceWei : priceOf(part, verdict, maxPriceWei);
}

function lowestIn(set: number): number {
  let slot = 0;
  while (!isIn(set, slot)) slot += 1;
  return slot;
}
