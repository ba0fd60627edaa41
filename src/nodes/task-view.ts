import type { SessionContext } from '../../actors/session/context.ts';
import type { TaskContext } from '../../actors/task/context.ts';
import { assert, present } from '../core/assert.ts';
import type { Folded } from '../core/fold.ts';
import type { Address, SessionId } from '../core/ids.ts';
import type { FinishReason } from '../core/precommit.ts';
import type { SessionState, SessionView, TaskMinerView, TaskState, TaskView } from '../ports/task-views.ts';

/** What a view needs beside the folded task: the winning answer's text, the anchor. */
export interface TaskExtras {
  readonly text: string | null;
  readonly finishReason: FinishReason | null;
  readonly unreadable: TaskView['unreadable'];
  readonly anchor: TaskView['anchor'];
}

/** A task as clients see it. */
export function taskView(session: SessionId, { value, context }: Folded<TaskContext>, extras: TaskExtras): TaskView {
  assert(value !== 'new', 'a task that was never submitted has no view');
  const winner = context.verdict?.winner ?? null;
  return {
    task: context.task,
    session,
    state: value as TaskState,
    model: context.model,
    maxTokens: context.maxTokens,
    redundancy: context.redundancy,
    level: context.level,
    prompt: context.prompt,
    miners: minerViews(context),
    validators: context.validators,
    primary: context.primary,
    winner,
    streamed: context.streamed,
    joins: context.joins,
    promptTokens: context.verdict?.promptTokens ?? 0,
    outputTokens: context.verdict?.outputTokens ?? 0,
    escrowWei: context.escrowWei,
    priceWei: context.priceWei,
    returnedWei: context.returnedWei,
    payments: context.payments as TaskView['payments'],
    result: context.slots.find((slot) => slot.miner === winner)?.result ?? null,
    report: context.verdict?.report ?? null,
    manifest: context.manifest,
    settlement: context.settlement,
    failure: context.failure,
    ...(context.appeal === undefined ? {} : { appeal: context.appeal }),
    ...extras,
  };
}

function minerViews(context: TaskContext): TaskMinerView[] {
  const scores = new Map(context.verdict?.scores.map((score) => [score.miner, score]));
  const now = context.slots.map(({ miner, attempt, phase }): TaskMinerView => {
    const score = scores.get(miner);
    return {
      miner,
      attempt,
      phase,
      verdict: verdictOf(context, miner),
      similarity: score?.similarity ?? null,
      tokens: score?.tokens ?? null,
    };
  });
  const gone = context.timedOut.map((miner): TaskMinerView => ({
    miner,
    attempt: 0,
    phase: 'timed-out',
    verdict: null,
    similarity: null,
    tokens: null,
  }));
  return [...now, ...gone];
}

function verdictOf({ verdict }: TaskContext, miner: Address): TaskMinerView['verdict'] {
  if (verdict?.honest.includes(miner) === true) return 'honest';
  return verdict?.outliers.includes(miner) === true ? 'outlier' : null;
}

/** A session at rest takes no tasks, whatever its balance would allow. */
function shownState(state: SessionState, isAtRest: boolean): SessionState {
  return isAtRest && (state === 'open' || state === 'suspended') ? 'inactive' : state;
}

/** A session as clients see it. */
export function sessionView({ value, context }: Folded<SessionContext>): SessionView {
  return {
    session: present(context.session, 'session'),
    client: present(context.client, 'client'),
    state: shownState(value as SessionState, context.isAtRest),
    terms: present(context.terms, 'terms'),
    money: context.money,
    counts: context.counts,
  };
}
