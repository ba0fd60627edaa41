import type { SessionRules, SessionTerms } from '../../src/core/chain-fact.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, SessionId, TaskId } from '../../src/core/ids.ts';
import { type Wei, zeroWei } from '../../src/core/wei.ts';
import type { TaskContext } from '../task/context.ts';

/** The states of a session. */
export const sessionStates = ['opening', 'open', 'suspended', 'draining', 'closed'] as const;

/** The money of a session: `deposited = balance + escrowed + paid + refunded` after every event. */
export type SessionMoney = {
  readonly depositedWei: Wei;
  readonly balanceWei: Wei;
  readonly escrowedWei: Wei;
  readonly paidWei: Wei;
  readonly refundedWei: Wei;
};

/** How many tasks ended how. */
export type TaskCounts = { readonly submitted: number; readonly settled: number; readonly refunded: number };

/** A deposit in the balance; `key` names it. */
export type CountedDeposit = { readonly key: string; readonly amountWei: Wei; readonly block: number };

/** A fact that does not hold at present: its type and what names it. */
export type RevertedFact = { readonly key: string; readonly fact: string };

/** Everything a session remembers. */
export type SessionContext = {
  readonly session: SessionId | null;
  readonly client: Address | null;
  /** Those that new tasks are under, with the lists as they are now. */
  readonly terms: SessionTerms | null;
  /** The version of the terms, from 1. */
  readonly version: number;
  /** The newest terms before these, oldest first (`limits.sessionTermsKept`). */
  readonly earlierTerms: readonly { readonly version: number; readonly terms: SessionRules }[];
  /** Whether its owner has put it to rest: it takes no new tasks. */
  readonly isAtRest: boolean;
  readonly openedBlock: number;
  readonly money: SessionMoney;
  readonly apiKeys: readonly string[];
  /** Unfinished tasks, by themselves: every event of one copies this map. */
  readonly tasks: { readonly [task: TaskId]: Folded<TaskContext> };
  /** The newest ended tasks, oldest first (`limits.sessionEndedTasksKept`). */
  readonly ended: readonly Folded<TaskContext>[];
  readonly counts: TaskCounts;
  /** The newest block of which the session has taken a fact: of the blocks before it, all facts are taken. */
  readonly seenTo: number;
  /** Deposits that a reorg may still take back, oldest first (`limits.sessionDepositBlocksKept`). */
  readonly deposits: readonly CountedDeposit[];
  /** The newest facts that a reorg has taken back and that have not come again (`limits.sessionRevertedFactsKept`). */
  readonly reverted: readonly RevertedFact[];
  /** The newest batches that turned out void after they had settled tasks (`limits.sessionVoidBatchesKept`); left out before the first. */
  readonly voided?: readonly number[];
};

/** The context of a session before its first event. */
export const emptySession: SessionContext = {
  session: null,
  client: null,
  terms: null,
  version: 1,
  earlierTerms: [],
  isAtRest: false,
  openedBlock: 0,
  money: { depositedWei: zeroWei, balanceWei: zeroWei, escrowedWei: zeroWei, paidWei: zeroWei, refundedWei: zeroWei },
  apiKeys: [],
  tasks: {},
  ended: [],
  counts: { submitted: 0, settled: 0, refunded: 0 },
  seenTo: 0,
  deposits: [],
  reverted: [],
};
