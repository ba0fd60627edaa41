import type { Effect } from '../../src/core/effect.ts';
import type { Seen as SeenBy } from '../../src/core/effect-action.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, TaskId } from '../../src/core/ids.ts';
import { boundedCandidates, type WeightedNode } from '../../src/core/selection.ts';
import type { Wei } from '../../src/core/wei.ts';
import { type BatchMember, type BatchSlot, isBatched, leafSlots, type TaskTaken } from './batched.ts';
import type { Slot, TaskContext } from './context.ts';
import type {
  AllCommitted,
  AllPrecommitted,
  MinersAssigned,
  MinersSelected,
  MinerTimedOut,
  OfferClaimed,
  ResultValidated,
  TaskQueuedOnChain,
  TaskSubmitted,
} from './events.ts';
import { manifestOf } from './manifest.ts';
import { isReady, type ParentSettled } from './steps.ts';

/** Put the task on chain; its escrow moves from the session's balance. */
export type SubmitOnChain = {
  readonly kind: 'submitOnChain';
  readonly task: TaskId;
  readonly requestId: Hex;
  readonly promptDigest: Hex;
  readonly maxTokens: number;
  readonly maxPriceWei: Wei;
};
/** Put a whole plan on chain in one transaction, so that all of its steps are there or none; `task` is its first. */
export type SubmitPlanOnChain = { readonly kind: 'submitPlanOnChain'; readonly task: TaskId; readonly plan: Hex };
/** End a step on chain one of whose parents ended without an answer. */
export type EndStepOnChain = { readonly kind: 'endStepOnChain'; readonly task: TaskId };
/** Choose miners and validators by a beacon later than `afterBlock`. */
export type SelectMiners = {
  readonly kind: 'selectMiners';
  readonly task: TaskId;
  readonly afterBlock: number;
  readonly redundancy: number;
  readonly validators: number;
  readonly model: string;
};
/** Put the selection on chain. */
export type AssignOnChain = {
  readonly kind: 'assignOnChain';
  readonly task: TaskId;
  /** How the miners were found; the contract computes a draw again. */
  readonly scheme: 'drawn' | 'first-come';
  /** Who they are drawn from, or in their order those that came. */
  readonly miners: readonly WeightedNode[];
  readonly validators: readonly WeightedNode[];
  readonly beaconBlock: number;
  readonly beacon: Hex;
  readonly selectionDigest: Hex;
};
/** Hand a miner its job. */
export type SendJob = {
  readonly kind: 'sendJob';
  readonly task: TaskId;
  readonly miner: Address;
  readonly attempt: number;
  readonly prompt: Cid;
  readonly model: string;
  readonly maxTokens: number;
};
/** Tell a miner that its work is not wanted any more. */
export type CancelJob = {
  readonly kind: 'cancelJob';
  readonly task: TaskId;
  readonly miner: Address;
  readonly attempt: number;
};
/** Ask a validator to compare the revealed results. */
export type RequestValidation = {
  readonly kind: 'requestValidation';
  readonly task: TaskId;
  readonly validator: Address;
  readonly prompt: Cid;
  readonly similarityBps: number;
  readonly level: number;
  readonly attestBy: number;
  readonly results: readonly {
    readonly miner: Address;
    readonly attempt: number;
    readonly resultRoot: Hex;
    readonly result: Cid;
  }[];
  /** For a task of a batch: what the verdict is signed about, beside the task. */
  readonly batch?: { readonly poster: Address; readonly slots: readonly BatchSlot[] };
};
/** Show a miner that its precommit is bound on chain, so that it shows its result. */
export type ShowBatch = {
  readonly kind: 'showBatch';
  readonly task: TaskId;
  readonly miner: Address;
  readonly attempt: number;
  readonly member: BatchMember;
};
/** Pin the manifest and settle on chain. */
export type SettleOnChain = { readonly kind: 'settleOnChain'; readonly task: TaskId; readonly manifest: Effect };
/** Tell the router's reputation book what came of the task. */
export type RecordOutcome = {
  readonly kind: 'recordOutcome';
  readonly task: TaskId;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly timedOut: readonly Address[];
};
/** End the task on chain before its time. */
export type CancelOnChain = { readonly kind: 'cancelOnChain'; readonly task: TaskId };
/** End a task whose queue time is over. */
export type ExpireOnChain = { readonly kind: 'expireOnChain'; readonly task: TaskId };

/** Every effect of a task. */
export type TaskEffect =
  | SubmitOnChain
  | SubmitPlanOnChain
  | EndStepOnChain
  | SelectMiners
  | AssignOnChain
  | SendJob
  | CancelJob
  | RequestValidation
  | ShowBatch
  | SettleOnChain
  | RecordOutcome
  | CancelOnChain
  | ExpireOnChain;

type Seen<E> = SeenBy<TaskContext, E>;

/** A task that came from a router goes on chain; one that came from there is chosen miners for. */
export function afterSubmission({ event }: Seen<TaskSubmitted>): TaskEffect[] {
  const { task, requestId, prompt, maxTokens, maxPriceWei, plan } = event;
  if (event.seen === null) {
    if (plan !== undefined) return plan.place === 0 ? [{ kind: 'submitPlanOnChain', task, plan: plan.id }] : [];
    return [{ kind: 'submitOnChain', task, requestId, promptDigest: cidToDigest(prompt), maxTokens, maxPriceWei }];
  }
  return event.after === undefined ? [selection(event.task, event.seen.block, event)] : [];
}

function selection(
  task: TaskId,
  afterBlock: number,
  of: { redundancy: number; model: string } & ({ validators: number } | { validatorCount: number }),
): SelectMiners {
  const validators = 'validatorCount' in of ? of.validatorCount : of.validators;
  return { kind: 'selectMiners', task, afterBlock, redundancy: of.redundancy, validators, model: of.model };
}

/** A task that the chain now holds is chosen miners for. */
export function afterQueued({ context, event }: Seen<TaskQueuedOnChain>): TaskEffect[] {
  const { terms } = event;
  if (!isReady(context)) return [];
  return [
    selection(context.task, event.seen.block, terms === undefined ? context : { ...terms, model: context.model }),
  ];
}

/** The last of those that a task comes after leads to the selection of its miners. */
export function afterParent({ context, event }: Seen<ParentSettled>): TaskEffect[] {
  const { task, submittedBlock } = context;
  if (event.ready === undefined || submittedBlock === 0) return [];
  return [selection(task, Math.max(submittedBlock, event.ready.block), context)];
}

/** A step that never begins is ended where the chain holds it. */
export function endStep({ context: { task, submittedBlock } }: Seen<unknown>): TaskEffect[] {
  return submittedBlock > 0 ? [{ kind: 'endStepOnChain', task }] : [];
}

/** The claim that fills the last place leads to the selection at once. */
export function afterClaim({ context }: Seen<OfferClaimed>): TaskEffect[] {
  const { task, claims, redundancy, submittedBlock, readyBlock = 0 } = context;
  return claims.length < redundancy ? [] : [selection(task, Math.max(submittedBlock, readyBlock), context)];
}

/** A task that its owner has taken up is chosen miners for. */
export function afterTaken({ context, event }: Seen<TaskTaken>): TaskEffect[] {
  return [selection(context.task, event.afterBlock, context)];
}

/** Another selection, by a later beacon than the refused one. */
export function afterRefusedSelection({ context }: Seen<unknown>): TaskEffect[] {
  return [selection(context.task, context.beaconBlock, context)];
}

/** The selection goes on chain. */
export function afterSelection({ event }: Seen<MinersSelected>): TaskEffect[] {
  const { task, candidates, validatorCandidates, beaconBlock, beacon, proof } = event;
  const scheme: AssignOnChain['scheme'] = event.scheme ?? 'drawn';
  const came = event.miners.flatMap((miner) => candidates.filter(({ node }) => node === miner));
  const miners = scheme === 'drawn' ? boundedCandidates(beacon, task, candidates) : came;
  const validators = boundedCandidates(beacon, task, validatorCandidates);
  const draw = { scheme, miners, validators, beaconBlock, beacon, selectionDigest: cidToDigest(proof) };
  return [{ kind: 'assignOnChain', task, ...draw }];
}

function job(context: TaskContext, miner: Address, attempt: number): SendJob {
  const { task, prompt, model, maxTokens } = context;
  return { kind: 'sendJob', task, miner, attempt, prompt, model, maxTokens };
}

/** Every miner gets its job. */
export function afterAssignment({ context, event }: Seen<MinersAssigned>): TaskEffect[] {
  return event.miners.map((miner) => job(context, miner, 0));
}

/** The late miner is told to stop, its replacement gets the job. */
export function afterTimeout({ context, event }: Seen<MinerTimedOut>): TaskEffect[] {
  const slot = context.slots.find((one) => one.miner === event.miner);
  const effects: TaskEffect[] = [
    { kind: 'cancelJob', task: context.task, miner: event.miner, attempt: slot?.attempt ?? 0 },
  ];
  if (event.replacement !== null) effects.push(job(context, event.replacement, event.attempt));
  return effects;
}

/** Where a batch binds the precommits, each miner is shown that it does. */
export function afterBatch({ context, event }: Seen<AllPrecommitted>): TaskEffect[] {
  const { batch: member } = event;
  if (member === undefined) return [];
  return context.slots.map(({ miner, attempt }) => ({ kind: 'showBatch', task: context.task, miner, attempt, member }));
}

/** Every validator gets the revealed results. */
export function afterAllCommitted({ context, event }: Seen<AllCommitted>): TaskEffect[] {
  const results = context.slots.flatMap(({ miner, attempt, resultRoot, result }: Slot) =>
    resultRoot === null || result === null ? [] : [{ miner, attempt, resultRoot, result }],
  );
  const { task, prompt, similarityBps, level } = context;
  return context.validators.map((validator) => ({
    kind: 'requestValidation',
    task,
    validator,
    prompt,
    similarityBps,
    level,
    attestBy: event.attestBy,
    results,
    ...(context.batch === undefined ? {} : { batch: { poster: context.batch.poster, slots: leafSlots(context) } }),
  }));
}

/** The manifest is pinned, and the task settled by it. */
export function afterValidation({ context, event }: Seen<ResultValidated>): TaskEffect[] {
  return [{ kind: 'settleOnChain', task: context.task, manifest: manifestOf(context, event) }];
}

/** What came of the task goes into the reputation book. */
export function outcome({ context }: Seen<unknown>): TaskEffect[] {
  const { task, verdict, timedOut } = context;
  return [{ kind: 'recordOutcome', task, honest: verdict?.honest ?? [], outliers: verdict?.outliers ?? [], timedOut }];
}

/** Whether the chain holds a task. One of a batched session, nobody but its owner ends before it is in a batch. */
function isSent(context: TaskContext): boolean {
  return isBatched(context) || context.submittedBlock > 0;
}

/** A task that the chain holds is cancelled there. */
export function endEarly({ context }: Seen<unknown>): TaskEffect[] {
  return isSent(context) ? [{ kind: 'cancelOnChain', task: context.task }] : [];
}

/** A task that the chain holds is expired there; a step, which the chain leaves more time, was asked to end. */
export function expire({ context }: Seen<unknown>): TaskEffect[] {
  return isSent(context) && context.after === undefined ? [{ kind: 'expireOnChain', task: context.task }] : [];
}

/** A task that lost its assignment is given up: nobody works on it, and the chain gives its escrow back. */
export function takeBack(seen: Seen<unknown>): TaskEffect[] {
  return [...freeMiners(seen), ...endEarly(seen)];
}

function isAtWork({ phase }: Slot): boolean {
  return phase === 'assigned' || phase === 'acked';
}

/** Miners that are still at work are told to stop; of a batched session also those that wait to be shown their batch. */
export function freeMiners({ context }: Seen<unknown>): TaskEffect[] {
  return context.slots
    .filter((slot) => isAtWork(slot) || (isBatched(context) && slot.phase === 'precommitted'))
    .map(({ miner, attempt }) => ({ kind: 'cancelJob', task: context.task, miner, attempt }));
}
