import type { ChainFact } from '../../src/core/chain-fact.ts';
import { accept, type Decision, unchanged } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { type SeenAt, seenAt } from '../task/events.ts';
import { type JobContext, jobKey, type MinerContext } from './context.ts';

type OfJob = { readonly task: TaskId; readonly attempt: number };

/** The validators call the miner an outlier, and it does not take their word for it. */
export type OutcomeDisputed = OfJob & { readonly type: 'OutcomeDisputed'; readonly seen: SeenAt };
/** What the miner finds by comparing the results itself, as validators do. It appeals only if that finds it honest. */
export type DisputeJudged = OfJob & {
  readonly type: 'DisputeJudged';
  readonly winner: Address | null;
  readonly honest: readonly Address[];
  readonly appeals: boolean;
};
/** The chain has the miner's appeal. */
export type DisputeAppealed = OfJob & { readonly type: 'DisputeAppealed'; readonly seen: SeenAt };
/** The miner does not appeal after all: the chain would not have it, or somebody else has. */
export type DisputeDropped = OfJob & {
  readonly type: 'DisputeDropped';
  readonly code: string;
  readonly reason: string;
};

/** Every event of a dispute, which is a part of a job. */
export type DisputeEvent = OutcomeDisputed | DisputeJudged | DisputeAppealed | DisputeDropped;

/** The names of dispute events. */
export const disputeEventTypes = [
  'OutcomeDisputed',
  'DisputeJudged',
  'DisputeAppealed',
  'DisputeDropped',
] as const satisfies readonly DisputeEvent['type'][];

/** Compare the results of the task as validators do and answer with `JudgeDispute`; nothing where it cannot be appealed. */
export type JudgeOutcome = OfJob & { readonly kind: 'judgeOutcome' };
/** Put down the bond and appeal. */
export type AppealOnChain = OfJob & { readonly kind: 'appealOnChain' };

/** Every effect of a dispute. */
export type DisputeEffect = JudgeOutcome | AppealOnChain;

/** How far a dispute has come. */
export type Dispute = {
  readonly state: 'judging' | 'accepted' | 'appealing' | 'appealed' | 'dropped';
  readonly failure?: { readonly code: string; readonly reason: string };
};

/** What the miner found of its task. */
export type JudgeDispute = OfJob & {
  readonly type: 'JudgeDispute';
  readonly winner: Address | null;
  readonly honest: readonly Address[];
};

/** A miner's own comparison leads to an appeal where it finds the miner honest, and to nothing else. */
export function judgeDispute({ context }: Folded<MinerContext>, command: JudgeDispute): Decision<DisputeEvent> {
  const { task, attempt, winner, honest } = command;
  const job = context.jobs[jobKey(command)];
  if (job?.value !== 'revealed' || job.context.dispute?.state !== 'judging') return unchanged;
  const appeals = winner !== null && honest.includes(job.context.miner);
  return accept<DisputeEvent>({ type: 'DisputeJudged', task, attempt, winner, honest, appeals });
}

/** Whether an effect is one of a dispute. */
export function isOfDispute(effect: string): boolean {
  return effect === 'judgeOutcome' || effect === 'appealOnChain';
}

/** An effect of a dispute was refused for good; the job goes on without. */
export function disputeEffectFailed(
  { context }: Folded<MinerContext>,
  failed: OfJob & { readonly code: string; readonly reason: string },
): Decision<DisputeEvent> {
  const { task, attempt, code, reason } = failed;
  const job = context.jobs[jobKey(failed)];
  if (job?.value !== 'revealed' || !isOpen(job.context)) return unchanged;
  return accept({ type: 'DisputeDropped', task, attempt, code, reason });
}

function isOpen({ dispute }: JobContext): boolean {
  return dispute?.state === 'judging' || dispute?.state === 'appealing';
}

/** What a fact leads to for a job whose result was shown. */
export function disputeEvents(
  { appeals }: MinerContext,
  { value, context }: Folded<JobContext>,
  fact: Extract<ChainFact, { type: 'ResultValidated' | 'OutcomeAppealed' }>,
): DisputeEvent[] {
  const { task, attempt, miner, dispute } = context;
  const seen = seenAt(fact.place);
  if (value !== 'revealed') return [];
  if (fact.type === 'ResultValidated') {
    const isWronged = appeals && context.batched !== true && !fact.honest.includes(miner);
    return isWronged && dispute === undefined ? [{ type: 'OutcomeDisputed', task, attempt, seen }] : [];
  }
  if (!isOpen(context)) return [];
  if (fact.appellant === miner) return [{ type: 'DisputeAppealed', task, attempt, seen }];
  const dropped = { code: 'already_appealed', reason: `${fact.appellant} has appealed it.` };
  return [{ type: 'DisputeDropped', task, attempt, ...dropped }];
}

/** The dispute after an event of it. */
export function disputeAfter(event: DisputeEvent): Dispute {
  switch (event.type) {
    case 'OutcomeDisputed':
      return { state: 'judging' };
    case 'DisputeJudged':
      return { state: event.appeals ? 'appealing' : 'accepted' };
    case 'DisputeAppealed':
      return { state: 'appealed' };
    case 'DisputeDropped':
      return { state: 'dropped', failure: { code: event.code, reason: event.reason } };
  }
}

/** What an event of a dispute asks for. */
export function disputeEffects(event: DisputeEvent): DisputeEffect[] {
  const { task, attempt } = event;
  if (event.type === 'OutcomeDisputed') return [{ kind: 'judgeOutcome', task, attempt }];
  return event.type === 'DisputeJudged' && event.appeals ? [{ kind: 'appealOnChain', task, attempt }] : [];
}
