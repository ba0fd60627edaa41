import type { AppealFact } from '../../src/core/appeal-fact.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { accept, type Decision, unchanged } from '../../src/core/decision.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Address, Cid, TaskId } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { TaskContext } from './context.ts';
import type { SettleOnChain } from './effects.ts';
import { manifestOf, outliersOf } from './manifest.ts';
import type { SeenAt } from './seen.ts';

/** More validators are asked about an outcome, until `attestBy`. */
export type OutcomeAppealed = {
  readonly type: 'OutcomeAppealed';
  readonly task: TaskId;
  readonly appellant: Address;
  readonly bondWei: Wei;
  readonly attestBy: number;
  readonly seen: SeenAt;
};

/** They found what stands for good: the same as the first ones, or something else. */
export type AppealDecided = {
  readonly type: 'AppealDecided';
  readonly task: TaskId;
  readonly overturned: boolean;
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly report: Cid;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly seen: SeenAt;
};

/** Too few of them agreed: what the first ones found stands. */
export type AppealUndecided = { readonly type: 'AppealUndecided'; readonly task: TaskId; readonly seen: SeenAt };

/** Every event of an appeal. */
export type AppealEvent = OutcomeAppealed | AppealDecided | AppealUndecided;

/** The appeal of a task's outcome. */
export type Appeal = {
  readonly state: 'open' | 'upheld' | 'overturned' | 'undecided';
  readonly appellant: Address;
  readonly attestBy: number;
};

/** Whether more validators are asked about the task's outcome now. */
export function isAppealOpen({ appeal }: TaskContext): boolean {
  return appeal?.state === 'open';
}

/** Whether an appeal of the task's outcome has ended; so it has where the task is forgotten. */
export function isRuled(context: TaskContext | undefined): boolean {
  return context === undefined || (context.appeal !== undefined && !isAppealOpen(context));
}

/** Whether a manifest is that of an outcome that was overturned since. */
export function isOverruled({ appeal, verdict }: TaskContext, manifest: Effect): boolean {
  return appeal?.state === 'overturned' && manifest['report'] !== verdict?.report;
}

/** What the chain says about an appeal leads to; what was seen before changes nothing. */
export function seeAppeal(
  { value, context }: Folded<TaskContext>,
  fact: AppealFact,
  seen: SeenAt | null,
): Decision<AppealEvent> {
  if (value !== 'validated' || seen === null) return unchanged;
  const { task } = fact;
  if (fact.type === 'OutcomeAppealed') {
    if (context.appeal !== undefined) return unchanged;
    const { appellant, bondWei, attestBy } = fact;
    return accept<AppealEvent>({ type: 'OutcomeAppealed', task, appellant, bondWei, attestBy, seen });
  }
  if (!isAppealOpen(context)) return unchanged;
  if (fact.type === 'AppealUndecided') return accept<AppealEvent>({ type: 'AppealUndecided', task, seen });
  const { overturned, winner, honest, promptTokens, outputTokens } = fact;
  const outliers = outliersOf(context, honest);
  const report = digestToCid(fact.reportDigest);
  const found = { overturned, winner, honest, outliers, report, promptTokens, outputTokens };
  return accept<AppealEvent>({ type: 'AppealDecided', task, ...found, seen });
}

/** The state after an event of an appeal. What overturns an outcome takes its place; scores are those of the first report. */
export function afterAppeal({ appeal, verdict }: TaskContext, event: AppealEvent): Partial<TaskContext> {
  if (event.type === 'OutcomeAppealed') {
    const { appellant, attestBy } = event;
    return { appeal: { state: 'open', appellant, attestBy } };
  }
  if (appeal === undefined) return {};
  if (event.type === 'AppealUndecided') return { appeal: { ...appeal, state: 'undecided' } };
  if (!event.overturned) return { appeal: { ...appeal, state: 'upheld' } };
  const { winner, honest, outliers, report, promptTokens, outputTokens } = event;
  const found = { winner, honest, outliers, report, promptTokens, outputTokens };
  return { appeal: { ...appeal, state: 'overturned' }, verdict: { scores: verdict?.scores ?? [], ...found } };
}

/** An outcome that takes the place of another is settled by a manifest of its own; the other's is not brought any more. */
export function afterRuling({ context, event }: Seen<TaskContext, AppealDecided>): SettleOnChain[] {
  if (!event.overturned) return [];
  return [{ kind: 'settleOnChain', task: context.task, manifest: manifestOf(context, event) }];
}
