import type { Decision, Env } from '../../src/core/decision.ts';
import { accept } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { Cid, TaskId } from '../../src/core/ids.ts';
import type { TaskContext } from '../task/context.ts';
import { cancelRequest } from '../task/choose.ts';
import { neverSubmitted, queueTimer } from '../task/decide.ts';
import type { TaskSubmitted } from '../task/events.ts';
import { comesAfter, type ParentSettled, waitsFor } from '../task/steps.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { taskOf } from './tasks.ts';

type Task = Folded<TaskContext>;
type Ended = Extract<SessionEvent, { type: 'TaskSettled' | 'TaskRefunded' | 'AssignmentLost' }>;

/** The result that won a task; undefined where nothing is known to have won. */
export function winningResult({ verdict, slots }: TaskContext): Cid | undefined {
  return slots.find(({ miner }) => miner === verdict?.winner)?.result ?? undefined;
}

/**
 * What the end of a task leads to in those that come after it, in the same decision: the last one that is settled makes a
 * step wait for miners, and one without an answer ends it.
 */
export function withSteps(
  { context }: Folded<SessionContext>,
  decision: Decision<SessionEvent>,
  env: Env,
): Decision<SessionEvent> {
  if (!decision.ok || !decision.events.some(isEnd)) return decision;
  const events = [...decision.events];
  // What follows may end steps itself, which others come after; none ends twice.
  for (const event of events) {
    if (!isEnd(event)) continue;
    for (const step of followers(context, event)) {
      const { task } = step.context;
      if (!events.some((one) => fails(one, task))) events.push(...following(context, step, event, env));
    }
  }
  return accept(...events);
}

function fails(event: SessionEvent, task: TaskId): boolean {
  return (event.type === 'TaskFailed' || event.type === 'ParentFailed') && event.task === task;
}

function isEnd(event: SessionEvent): event is Ended {
  return event.type === 'TaskSettled' || event.type === 'TaskRefunded' || event.type === 'AssignmentLost';
}

function followers({ tasks }: SessionContext, { task }: Ended): Task[] {
  return Object.values(tasks).filter(({ value, context }) => value === 'queued' && comesAfter(context, task));
}

function following(context: SessionContext, step: Task, event: Ended, env: Env): SessionEvent[] {
  const { task: parent } = event;
  const { task, submittedBlock, parentFailed } = step.context;
  if (parentFailed === true) return [];
  const result = event.type === 'TaskSettled' ? resultOf(context, parent) : undefined;
  if (event.type === 'TaskSettled' && result !== undefined)
    return waitsFor(step.context, parent)
      ? settled(context, step.context, { parent, result, block: event.seen?.block ?? 0 }, env)
      : [];
  // Neither of them is on chain, where they come together.
  if (event.type === 'TaskRefunded' && event.seen === null && submittedBlock === 0)
    return neverSubmitted(step.context, 'parent_failed', 'A task that it comes after was not submitted.');
  return [{ type: 'ParentFailed', task, parent }];
}

function resultOf(context: SessionContext, task: TaskId): Cid | undefined {
  const known = taskOf(context, task);
  return known === undefined ? undefined : winningResult(known.context);
}

function settled(
  { terms }: SessionContext,
  { task, after = [], settledParents = [] }: Pick<TaskContext, 'task' | 'after' | 'settledParents'>,
  { parent, result, block }: { readonly parent: TaskId; readonly result: Cid; readonly block: number },
  env: Env,
): SessionEvent[] {
  const event: ParentSettled = { type: 'ParentSettled', task, parent, result };
  if (settledParents.length + 1 < after.length) return [event];
  const expiresAt = env.now + (terms?.queueTimeoutS ?? 0) * 1_000;
  return [
    { ...event, ready: { block, expiresAt } },
    { type: 'TimerSet', task, timer: queueTimer, at: expiresAt },
  ];
}

/** How those stand that a new step comes after. One that is not known here any more cannot be told, so the step ends. */
export function parentsNow(context: SessionContext, submitted: TaskSubmitted, env: Env): SessionEvent[] {
  const { task, after = [], seen } = submitted;
  const events: SessionEvent[] = [];
  const settledParents: { parent: TaskId; result: Cid }[] = [];
  for (const { task: parent } of after) {
    const known = taskOf(context, parent);
    if (known === undefined) return [cancelRequest(task, 'parent_not_found')];
    const result = winningResult(known.context);
    const isFailed = known.value === 'refunded' || known.value === 'failed';
    if (isFailed || (known.value === 'settled' && result === undefined))
      return [{ type: 'ParentFailed', task, parent }];
    if (known.value !== 'settled' || result === undefined) continue;
    events.push(...settled(context, { task, after, settledParents }, { parent, result, block: seen?.block ?? 0 }, env));
    settledParents.push({ parent, result });
  }
  return events;
}

/** Whether what an event says of the task that a step comes after is so. */
export function parentFits(context: SessionContext, event: SessionEvent): boolean {
  if (event.type !== 'ParentSettled' && event.type !== 'ParentFailed') return true;
  const known = taskOf(context, event.parent);
  if (known === undefined) return false;
  const result = winningResult(known.context);
  if (event.type === 'ParentSettled') return known.value === 'settled' && result === event.result;
  return known.value === 'refunded' || known.value === 'failed' || (known.value === 'settled' && result === undefined);
}
