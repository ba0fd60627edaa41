import type { AppealEvent } from './appeals.ts';
import type { BatchMember, TaskTaken, VerdictSigned } from './batched.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, TaskId } from '../../src/core/ids.ts';
import type { WeightedNode } from '../../src/core/selection.ts';
import type { Wei } from '../../src/core/wei.ts';
import { type SeenAt, seenAt, seenOrSigned } from './seen.ts';
import type { ParentFailed, ParentSettled, PlanPlace, StepParent } from './steps.ts';

export { type SeenAt, seenAt, seenOrSigned };

/** How far apart two revealed answers are, by the embedding of their texts. */
export type MinerScore = {
  readonly miner: Address;
  /** Mean cosine similarity to the other answers, 0 to 1, rounded to 6 decimals. */
  readonly similarity: number;
  readonly tokens: number;
};

/** A payment of a settlement. */
export type PaymentLine = { readonly to: Address; readonly role: string; readonly amountWei: Wei };

/** A node's signature as ERC-2098 has it. */
export type Signed = { readonly r: Hex; readonly vs: Hex };

type OfTask = { readonly task: TaskId };

/** A task is wanted; its price bound is set aside. Not yet on chain unless `seen` is there. */
export type TaskSubmitted = OfTask & {
  readonly type: 'TaskSubmitted';
  readonly requestId: Hex;
  readonly by: Address;
  /** Prompt and sampling, in the content store. */
  readonly prompt: Cid;
  readonly model: string;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
  /** k. */
  readonly redundancy: number;
  readonly validators: number;
  readonly similarityBps: number;
  readonly level: number;
  /** Where only miners of the session's list may work on it. */
  readonly dedicated?: true;
  /** Milliseconds since 1970 when the queue-wait limit is reached. */
  readonly expiresAt: number;
  /** Left out where each task is settled by itself. */
  readonly batched?: true;
  /** Where in a row it stands, from 1; left out of a task that comes after no other, as are the next two. */
  readonly step?: number;
  /** The tasks that it comes after; then `prompt` is a template for their texts. */
  readonly after?: readonly StepParent[];
  /** The plan that it is of; left out of a task that is of none. */
  readonly plan?: PlanPlace;
  readonly seen: SeenAt | null;
};

/** What a task takes of its session's terms. */
export type TaskTerms = {
  readonly redundancy: number;
  readonly validators: number;
  readonly similarityBps: number;
  readonly level: number;
  readonly dedicated: boolean;
};

/** The chain holds the task and its escrow, which may differ from what was set aside where somebody else submitted it. */
export type TaskQueuedOnChain = OfTask & {
  readonly type: 'TaskQueuedOnChain';
  readonly escrowWei: Wei;
  /** Where the session's terms are others than when the task was wanted: those that the chain has it under. */
  readonly terms?: TaskTerms;
  readonly seen: SeenAt;
};

/** A miner took an offered place, the first to come for it. */
export type OfferClaimed = OfTask & {
  readonly type: 'OfferClaimed';
  readonly miner: Address;
  readonly place: number;
  /** The offer it answers: the id of the job in the queue. */
  readonly offer: string;
  /** When the router had the claim, milliseconds since 1970. */
  readonly at: number;
  /** The miner's, over its claim (`src/core/claim.ts`). */
  readonly signature: string;
};

/** A miner that had claimed a place is not there any more; the place is offered again. */
export type ClaimLapsed = OfTask & {
  readonly type: 'ClaimLapsed';
  readonly miner: Address;
  readonly at: number;
  readonly reason: string;
};

/**
 * Miners and validators were chosen. By default they were drawn, and anyone can recompute it from beacon and weights;
 * with the scheme `first-come` the miners are those whose claims stand, in the order in which they came.
 */
export type MinersSelected = OfTask & {
  readonly type: 'MinersSelected';
  readonly scheme?: 'first-come';
  readonly beaconBlock: number;
  readonly beacon: Hex;
  readonly candidates: readonly WeightedNode[];
  readonly validatorCandidates: readonly WeightedNode[];
  readonly miners: readonly Address[];
  readonly validators: readonly Address[];
  /** The miners, then all other candidates by rendezvous key: the order in which replacements are taken. */
  readonly ranking: readonly Address[];
  /** The selection as content, for oracles and auditors. */
  readonly proof: Cid;
};

/** The chain refused the selection (a miner left, the beacon aged); another is made. */
export type SelectionRefused = OfTask & { readonly type: 'SelectionRefused'; readonly reason: string };

/** The chain holds the assignment; the clocks of the miners run. */
export type MinersAssigned = OfTask & {
  readonly type: 'MinersAssigned';
  readonly miners: readonly Address[];
  readonly validators: readonly Address[];
  readonly ackBy: number;
  readonly seen: SeenAt | null;
};

/** A miner is at work. */
export type TaskAcked = OfTask & {
  readonly type: 'TaskAcked';
  readonly miner: Address;
  readonly precommitBy: number;
  readonly seen: SeenAt | null;
};

/** A miner is bound to a result that nobody has seen. */
export type TaskPrecommitted = OfTask & {
  readonly type: 'TaskPrecommitted';
  readonly miner: Address;
  readonly hash: Hex;
  /** The miner's, where it did not say so on chain itself. */
  readonly signature?: Signed;
  readonly seen: SeenAt | null;
};

/** Every live slot has precommitted: answers may be shown. */
export type AllPrecommitted = OfTask & {
  readonly type: 'AllPrecommitted';
  readonly revealBy: number;
  /** The batch that binds the precommits, where it is one. */
  readonly batch?: BatchMember;
  readonly seen: SeenAt | null;
};

/** A miner revealed its result. `streamed` says whether the tokens it streamed are the ones it committed. */
export type TaskCommitted = OfTask & {
  readonly type: 'TaskCommitted';
  readonly miner: Address;
  readonly resultRoot: Hex;
  readonly result: Cid;
  readonly streamed: 'match' | 'mismatch' | 'unseen';
  /** What it was precommitted with, for the batch that shows it. */
  readonly salt?: Hex;
  readonly seen: SeenAt | null;
};

/** Every live slot has revealed: the validators' clock runs. */
export type AllCommitted = OfTask & {
  readonly type: 'AllCommitted';
  readonly attestBy: number;
  readonly seen: SeenAt | null;
};

/** An oracle found a miner past its deadline; `replacement` takes the slot, or nobody does. */
export type MinerTimedOut = OfTask & {
  readonly type: 'MinerTimedOut';
  readonly miner: Address;
  readonly replacement: Address | null;
  readonly attempt: number;
  readonly oracle: Address;
  readonly ackBy: number;
  /** What the client had read by then, where it was this miner's words. */
  readonly delivered?: Delivered;
  readonly seen: SeenAt | null;
};

/** The words a client has been given, as the log names them. */
export type Delivered = { readonly tokens: number; readonly prefixHash: string };

/** The miner whose words the client was reading died; another continues from the delivered prefix. */
export type PrimaryReplaced = OfTask & {
  readonly type: 'PrimaryReplaced';
  readonly from: Address;
  readonly to: Address;
  /** Tokens the client had by then. */
  readonly deliveredTokens: number;
  /** Hash over those tokens, for the join to be checked. */
  readonly prefixHash: string;
};

/** The validators' verdict, as the chain counted it. */
export type ResultValidated = OfTask & {
  readonly type: 'ResultValidated';
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly scores: readonly MinerScore[];
  readonly report: Cid;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly seen: SeenAt | null;
};

/** Who got what, from the task's escrow; the rest is back in the session's balance. */
export type TaskSettled = OfTask & {
  readonly type: 'TaskSettled';
  readonly priceWei: Wei;
  readonly returnedWei: Wei;
  readonly payments: readonly PaymentLine[];
  readonly manifest: Cid;
  /** Where a batch has the outcome; it stands unless the batch is void. */
  readonly posted?: SeenAt;
  readonly seen: SeenAt | null;
};

/** A reorg took the assignment back. Where it does not stand again by `restoreBy`, the task is given up. */
export type AssignmentReverted = OfTask & {
  readonly type: 'AssignmentReverted';
  readonly restoreBy: number;
  readonly seen: SeenAt;
};

/** The assignment that a reorg had taken back stands again. */
export type AssignmentRestored = OfTask & { readonly type: 'AssignmentRestored'; readonly seen: SeenAt };

/**
 * The chain has gone on without the assignment, whose beacon went with the blocks that were taken back. What a
 * settlement, lost with it, had moved is set aside again: zero where there was none.
 */
export type AssignmentLost = OfTask & {
  readonly type: 'AssignmentLost';
  readonly priceWei: Wei;
  readonly returnedWei: Wei;
};

/** Somebody asked for the task to end; what is set aside comes back once the chain agrees. */
export type TaskCancelRequested = OfTask & { readonly type: 'TaskCancelRequested'; readonly reason: string };

/** The task will not be delivered. */
export type TaskFailed = OfTask & { readonly type: 'TaskFailed'; readonly code: string; readonly reason: string };

/** What was set aside is back in the session's balance. `seen` is null where the chain never held it. */
export type TaskRefunded = OfTask & {
  readonly type: 'TaskRefunded';
  readonly returnedWei: Wei;
  readonly reason: string;
  readonly seen: SeenAt | null;
};

/** A clock of a task starts to run. */
export type TimerSet = OfTask & { readonly type: 'TimerSet'; readonly timer: string; readonly at: number };
/** A clock of the task has run out. */
export type TimerFired = OfTask & { readonly type: 'TimerFired'; readonly timer: string };

/** Every event of a task. */
export type TaskEvent =
  | TaskSubmitted
  | TaskQueuedOnChain
  | TaskTaken
  | ParentSettled
  | ParentFailed
  | OfferClaimed
  | ClaimLapsed
  | MinersSelected
  | SelectionRefused
  | MinersAssigned
  | TaskAcked
  | TaskPrecommitted
  | AllPrecommitted
  | TaskCommitted
  | AllCommitted
  | VerdictSigned
  | MinerTimedOut
  | PrimaryReplaced
  | ResultValidated
  | AppealEvent
  | TaskSettled
  | AssignmentReverted
  | AssignmentRestored
  | AssignmentLost
  | TaskCancelRequested
  | TaskFailed
  | TaskRefunded
  | TimerSet
  | TimerFired;
