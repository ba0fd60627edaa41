import type { Event } from '../../src/core/commit.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Folded, FoldStep } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { addWei, lessWei, zeroWei } from '../../src/core/wei.ts';
import { limits } from '../../src/core/limits.ts';
import { isOffChain } from '../task/batched.ts';
import type { TaskContext } from '../task/context.ts';
import type { AssignmentLost, TaskEvent } from '../task/events.ts';
import { foldTask } from '../task/machine.ts';
import type { SessionContext } from './context.ts';

/** A task of the session, unfinished or ended; undefined for one that it does not know, or no more. */
export function taskOf({ tasks, ended }: SessionContext, task: TaskId): Folded<TaskContext> | undefined {
  return tasks[task] ?? ended.find(({ context }) => context.task === task);
}

/** The state of a task of the session; the initial one for a task it does not know. */
export function taskState(context: SessionContext, task: TaskId): Folded<TaskContext> {
  return taskOf(context, task) ?? foldTask.initial;
}

/** Whether a task needs nothing more. */
export function hasEnded(state: Folded<TaskContext>): boolean {
  return state.value === 'settled' || state.value === 'refunded';
}

/** Whether a task ended before the chain had it: its id is still free there, and the chain's task of it is another one. */
export function endedUnsent(state: Folded<TaskContext>): boolean {
  return hasEnded(state) && isOffChain(state.context);
}

/** How many tasks of the session are unfinished. */
export function openTaskCount(context: SessionContext): number {
  return Object.keys(context.tasks).length;
}

/** The newest step of a task, by what went into it. */
let newest:
  | { readonly state: Folded<TaskContext>; readonly event: Event; readonly step: FoldStep<TaskContext> }
  | undefined;

/**
 * A task's step. The guards and actions of one transition all ask for the same one, so the newest is kept: the fold is
 * pure, states and events never change, and remembering makes no difference but of time.
 */
function stepTask(context: SessionContext, event: Event): FoldStep<TaskContext> {
  const state = stateBefore(taskOf(context, (event as TaskEvent).task), event as TaskEvent);
  if (newest?.state !== state || newest.event !== event) newest = { state, event, step: foldTask.step(state, event) };
  return newest.step;
}

/** A task after one of its own events, which is all that its state follows from; `known` is undefined before the first. */
export function taskAfter(known: Folded<TaskContext> | undefined, event: TaskEvent): Folded<TaskContext> {
  return foldTask.step(stateBefore(known, event), event).state;
}

/** The state that an event of a task meets: the initial one where it begins the task, perhaps anew. */
function stateBefore(known: Folded<TaskContext> | undefined, event: TaskEvent): Folded<TaskContext> {
  return known === undefined || isNewTask(known, event) ? foldTask.initial : known;
}

function isNewTask(known: Folded<TaskContext> | undefined, event: TaskEvent): boolean {
  return event.type === 'TaskSubmitted' && (known === undefined || (event.seen !== null && endedUnsent(known)));
}

/** Whether the task's machine takes the event now and the money it moves is there to be moved. */
export function taskTakes(context: SessionContext, event: Event): boolean {
  return moneyFits(context, event as TaskEvent) && stepTask(context, event).handled;
}

/** Whether the money that an event of a task moves is there to be moved. */
export function moneyFits(context: SessionContext, event: TaskEvent): boolean {
  const known = taskOf(context, event.task);
  const escrowWei = known?.context.escrowWei;
  switch (event.type) {
    case 'TaskSubmitted':
      return (
        isNewTask(known, event) &&
        event.maxPriceWei !== zeroWei &&
        !lessWei(context.money.balanceWei, event.maxPriceWei)
      );
    case 'TaskQueuedOnChain':
      return escrowWei !== undefined && !lessWei(addWei(context.money.balanceWei, escrowWei), event.escrowWei);
    case 'TaskSettled':
      return escrowWei === addWei(event.priceWei, event.returnedWei);
    case 'TaskRefunded':
      return escrowWei === event.returnedWei;
    case 'AssignmentLost':
      return isAsSettled(context, event) && !lessWei(context.money.balanceWei, event.returnedWei);
    default:
      return true;
  }
}

function isAsSettled(context: SessionContext, { task, priceWei, returnedWei }: AssignmentLost): boolean {
  const settled = taskOf(context, task)?.context;
  return settled !== undefined && settled.priceWei === priceWei && settled.returnedWei === returnedWei;
}

/** The effects the task's machine asks for. */
export function taskEffects(context: SessionContext, event: Event): readonly Effect[] {
  return stepTask(context, event).effects;
}

/** The session's tasks after an event of one of them; the oldest ended ones are let go of. */
export function tasksAfter(context: SessionContext, event: Event): Pick<SessionContext, 'tasks' | 'ended' | 'counts'> {
  const { task } = event as TaskEvent;
  const { state } = stepTask(context, event);
  const counts = countAfter(context, event as TaskEvent);
  const others = (): SessionContext['ended'] => context.ended.filter((one) => one.context.task !== task);
  if (!hasEnded(state)) {
    const isUnfinished = context.tasks[task] !== undefined;
    return { tasks: { ...context.tasks, [task]: state }, ended: isUnfinished ? context.ended : others(), counts };
  }
  const { [task]: unfinished, ...tasks } = context.tasks;
  if (unfinished !== undefined)
    return { tasks, ended: [...context.ended, state].slice(-limits.sessionEndedTasksKept), counts };
  const ended = context.ended.map((one) => (one.context.task === task ? state : one));
  return { tasks: context.tasks, ended, counts };
}

function countAfter(context: SessionContext, event: TaskEvent): SessionContext['counts'] {
  const { counts } = context;
  if (event.type === 'TaskSubmitted') return { ...counts, submitted: counts.submitted + 1 };
  if (event.type === 'AssignmentLost' && taskOf(context, event.task)?.value === 'settled')
    return { ...counts, settled: counts.settled - 1 };
  if (event.type === 'TaskSettled') return { ...counts, settled: counts.settled + 1 };
  if (event.type === 'TaskRefunded') return { ...counts, refunded: counts.refunded + 1 };
  return counts;
}
