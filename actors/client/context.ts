import type { SessionTerms } from '../../src/core/chain-fact.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import { type Wei, zeroWei } from '../../src/core/wei.ts';

/** The states of a client. */
export const clientStates = ['offline', 'active'] as const;

/** The states of a session as its client sees it. */
export const contractStates = ['new', 'requested', 'open', 'closing', 'closed', 'failed'] as const;

/** A deposit the client asked for. `made` once the chain has one of that amount from this client. */
export type Deposit = {
  readonly request: Hex;
  readonly amountWei: Wei;
  readonly state: 'requested' | 'made' | 'failed';
};

/** A task the client submitted itself. */
export type ClientTask = {
  readonly requestId: Hex;
  readonly prompt: Cid;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
  readonly state: 'requested' | 'queued' | 'settled' | 'refunded' | 'failed';
  readonly priceWei: Wei;
  readonly returnedWei: Wei;
  /** Names prompt, results and verdict once the task is settled. */
  readonly manifest: Cid | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
};

/** An outcome that the client wants more validators to look at. */
export type ClientAppeal = {
  readonly task: TaskId;
  readonly state: 'requested' | 'made' | 'failed';
  readonly failure: { readonly code: string; readonly reason: string } | null;
};

/** Everything a client remembers about one of its sessions. */
export type ContractContext = {
  /** The request's id; the session's id where it was opened elsewhere. */
  readonly key: string;
  readonly session: SessionId | null;
  readonly terms: SessionTerms | null;
  /** All deposits the chain has seen, also those of others. */
  readonly depositedWei: Wei;
  /** The newest deposit counted, so that a repeated fact is not: block and place in it. */
  readonly depositSeenAt: readonly [block: number, logIndex: number];
  /** Those under way and the newest ended ones, oldest first. */
  readonly deposits: readonly Deposit[];
  /** Those under way and the newest ended ones. */
  readonly tasks: { readonly [task: TaskId]: ClientTask };
  /** Ended tasks still in `tasks`, oldest first. */
  readonly endedTasks: readonly TaskId[];
  /** Those under way and the newest others, oldest first. */
  readonly appeals: readonly ClientAppeal[];
  readonly paidWei: Wei;
  /** What came back when the session was closed. */
  readonly refundedWei: Wei;
  readonly failure: { readonly code: string; readonly reason: string } | null;
};

/** Everything a client remembers. */
export type ClientContext = {
  readonly client: Address | null;
  /** Sessions that are not closed and the newest ended ones. */
  readonly sessions: { readonly [key: string]: Folded<ContractContext> };
  /** Ended sessions still in `sessions`, oldest first. */
  readonly ended: readonly string[];
};

/** The context of a session before its first event. */
export const emptyContract: ContractContext = {
  key: '',
  session: null,
  terms: null,
  depositedWei: zeroWei,
  depositSeenAt: [0, 0],
  deposits: [],
  tasks: {},
  endedTasks: [],
  appeals: [],
  paidWei: zeroWei,
  refundedWei: zeroWei,
  failure: null,
};

/** The context of a client before its first event. */
export const emptyClient: ClientContext = { client: null, sessions: {}, ended: [] };
