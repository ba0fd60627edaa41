import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, TaskId } from '../../src/core/ids.ts';
import { type Wei, zeroWei } from '../../src/core/wei.ts';
import type { Appeal } from './appeals.ts';
import type { BatchMember, BatchSlot, SignedVerdict } from './batched.ts';
import type { MinerScore, PaymentLine } from './events.ts';
import { isReady, type PlanPlace, type StepParent } from './steps.ts';

/** The states of a task, in the order in which it lives through them. */
export const taskStates = [
  'new',
  'queued',
  'assigned',
  'executing',
  'precommitted',
  'committed',
  'validated',
  'settled',
  'failed',
  'refunded',
] as const;
/** The name of a task's state. */
export type TaskStateName = (typeof taskStates)[number];

/** Where one miner's part of a task stands. */
export type SlotPhase = 'assigned' | 'acked' | 'precommitted' | 'committed';

/** One of the k places of a task. */
export type Slot = {
  readonly miner: Address;
  /** 0 for the first miner of this slot, one more for each replacement. */
  readonly attempt: number;
  readonly phase: SlotPhase;
  /** When the oracle may act, milliseconds since 1970. */
  readonly deadline: number;
  readonly hash: Hex | null;
  readonly resultRoot: Hex | null;
  readonly result: Cid | null;
  /** What it was precommitted with; left out where the chain alone needs it. */
  readonly salt?: Hex;
};

/** What the validators found. */
export type Verdict = {
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly scores: readonly MinerScore[];
  readonly report: Cid;
  readonly promptTokens: number;
  readonly outputTokens: number;
};

/** A change of the miner whose words the client reads. */
export type Join = {
  readonly from: Address;
  readonly to: Address;
  readonly deliveredTokens: number;
  readonly prefixHash: string;
};

/** A place of a task that a miner has claimed before the task has its miners. */
export type StandingClaim = {
  readonly miner: Address;
  readonly place: number;
  /** When the router had it, milliseconds since 1970. */
  readonly at: number;
};

/** Everything a task remembers. */
export type TaskContext = {
  readonly task: TaskId;
  readonly requestId: Hex;
  readonly by: Address;
  readonly prompt: Cid;
  readonly model: string;
  readonly maxTokens: number;
  readonly redundancy: number;
  readonly validatorCount: number;
  readonly similarityBps: number;
  readonly level: number;
  /** Whether only miners of the session's list may work on it. */
  readonly dedicated: boolean;
  readonly expiresAt: number;
  /** Set aside for this task now; zero once it has ended. */
  readonly escrowWei: Wei;
  /** The block that holds the submission; 0 until the chain has it. */
  readonly submittedBlock: number;
  /** Claims of places that stand, in the order in which they came. */
  readonly claims: readonly StandingClaim[];
  /** When the places that a claim was lost of were offered again, milliseconds since 1970. */
  readonly reoffered: { readonly [place: string]: number };
  readonly selections: number;
  readonly selected: boolean;
  readonly beaconBlock: number;
  readonly proof: Cid | null;
  readonly ranking: readonly Address[];
  readonly validators: readonly Address[];
  readonly slots: readonly Slot[];
  readonly timedOut: readonly Address[];
  readonly primary: Address | null;
  readonly joins: readonly Join[];
  readonly streamed: 'match' | 'mismatch' | 'unseen';
  readonly attestBy: number;
  readonly verdict: Verdict | null;
  /** Left out where nobody appealed the outcome. */
  readonly appeal?: Appeal;
  readonly cancelRequested: boolean;
  readonly timers: { readonly [timer: string]: number };
  readonly priceWei: Wei;
  readonly returnedWei: Wei;
  readonly payments: readonly PaymentLine[];
  readonly manifest: Cid | null;
  /** The settlement's transaction. */
  readonly settlement: { readonly block: number; readonly txHash: Hex } | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
  /** Where in a row it stands; left out of a task that comes after no other, as are the next five. */
  readonly step?: number;
  /** The tasks that it comes after. */
  readonly after?: readonly StepParent[];
  /** Those of them that are settled, in that order in time, and what they said. */
  readonly settledParents?: readonly { readonly parent: TaskId; readonly result: Cid }[];
  /** The block in which the last of them was settled. */
  readonly readyBlock?: number;
  /** The code that it fails with once the chain has ended it, where that is not that somebody cancelled it. */
  readonly endsAs?: string;
  /** Whether one of them ended without an answer. */
  readonly parentFailed?: true;
  /** The plan that it is of. */
  readonly plan?: PlanPlace;
  /** Left out where each task is settled by itself; so are the next three. */
  readonly batched?: true;
  /** The batch that binds its precommits. */
  readonly batch?: BatchMember;
  /** Its miners as the batch has them. */
  readonly leaf?: readonly BatchSlot[];
  /** What validators have signed. */
  readonly votes?: readonly SignedVerdict[];
};

const nothing = '';

/** The context of a task before its first event. */
export const emptyTask: TaskContext = {
  task: nothing as TaskId,
  requestId: '0x',
  by: nothing as Address,
  prompt: nothing as Cid,
  model: '',
  maxTokens: 0,
  redundancy: 0,
  validatorCount: 0,
  similarityBps: 0,
  level: 0,
  dedicated: false,
  expiresAt: 0,
  escrowWei: zeroWei,
  submittedBlock: 0,
  claims: [],
  reoffered: {},
  selections: 0,
  selected: false,
  beaconBlock: 0,
  proof: null,
  ranking: [],
  validators: [],
  slots: [],
  timedOut: [],
  primary: null,
  joins: [],
  streamed: 'unseen',
  attestBy: 0,
  verdict: null,
  cancelRequested: false,
  timers: {},
  priceWei: zeroWei,
  returnedWei: zeroWei,
  payments: [],
  manifest: null,
  settlement: null,
  failure: null,
};

/** Selections a task may try before it is given up. */
export const selectionsMax = 5;

/** Whether a queued task may be given miners: it is on chain, what it comes after is settled, nobody wants it gone and tries are left. */
export function mayBeSelected(context: TaskContext): boolean {
  const { submittedBlock, selected, selections, cancelRequested } = context;
  return submittedBlock > 0 && !selected && !cancelRequested && selections < selectionsMax && isReady(context);
}
