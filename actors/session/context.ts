import type { SessionTerms } from '../../src/core/chain-fact.ts';
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

/** Everything a session remembers. */
export type SessionContext = {
  readonly session: SessionId | null;
  readonly client: Address | null;
  readonly terms: SessionTerms | null;
  readonly openedBlock: number;
  readonly money: SessionMoney;
  readonly apiKeys: readonly string[];
  /** Unfinished tasks and the newest ended ones (`limits.sessionEndedTasksKept`). */
  readonly tasks: { readonly [task: TaskId]: Folded<TaskContext> };
  /** Ended tasks still in `tasks`, oldest first. */
  readonly ended: readonly TaskId[];
  readonly counts: TaskCounts;
  /** Deposits seen, by `tx:from`, so that the same one is never counted twice. */
  readonly deposits: { readonly [key: string]: Wei };
  /** Facts a reorg has taken back and that have not come again. */
  readonly reverted: { readonly [key: string]: string };
};

/** The context of a session before its first event. */
export const emptySession: SessionContext = {
  session: null,
  client: null,
  terms: null,
  openedBlock: 0,
  money: { depositedWei: zeroWei, balanceWei: zeroWei, escrowedWei: zeroWei, paidWei: zeroWei, refundedWei: zeroWei },
  apiKeys: [],
  tasks: {},
  ended: [],
  counts: { submitted: 0, settled: 0, refunded: 0 },
  deposits: {},
  reverted: {},
};
