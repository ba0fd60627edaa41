import type { Env } from '../../src/core/decision.ts';
import type { Folded } from '../../src/core/fold.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, zeroWei } from '../../src/core/wei.ts';
import type { TaskContext } from './context.ts';
import type { AssignmentLost, AssignmentReverted, AssignmentRestored, SeenAt } from './events.ts';

/** The name of the clock that runs while a reorg has an assignment taken back. */
export const restoreTimer = 'restore';

type State = Folded<TaskContext>;

/** The states that stand on an assignment. */
const assignedStates: ReadonlySet<string> = new Set([
  'assigned',
  'executing',
  'precommitted',
  'committed',
  'validated',
  'settled',
]);

/** Whether a reorg has the task's assignment taken back now. */
export function isAssignmentReverted({ timers }: TaskContext): boolean {
  return timers[restoreTimer] !== undefined;
}

/**
 * A reorg took the assignment back. The same transactions are sent again, but the assignment names the hash of
 * a block: where that block is gone, the contract takes none of what follows.
 */
export function revertAssignment({ value, context }: State, seen: SeenAt, env: Env): AssignmentReverted[] {
  if (!assignedStates.has(value) || isAssignmentReverted(context)) return [];
  const restoreBy = env.now + limits.assignmentRestoreMs;
  return [{ type: 'AssignmentReverted', task: context.task, restoreBy, seen }];
}

/** The assignment stands again. */
export function restoreAssignment({ context }: State, seen: SeenAt): AssignmentRestored[] {
  return isAssignmentReverted(context) ? [{ type: 'AssignmentRestored', task: context.task, seen }] : [];
}

/** The assignment has not come again in time: the task is given up, and what it has cost with it. */
export function loseAssignment({ context }: State): AssignmentLost {
  const { task, priceWei, returnedWei } = context;
  return { type: 'AssignmentLost', task, priceWei, returnedWei };
}

/** The state after a lost assignment: what a settlement had moved is set aside again, and nothing is found any more. */
export function afterLoss(context: TaskContext, { priceWei, returnedWei }: AssignmentLost): Partial<TaskContext> {
  return {
    failure: { code: 'assignment_lost', reason: 'The chain took back the blocks that the assignment stood on.' },
    escrowWei: addWei(context.escrowWei, priceWei, returnedWei),
    priceWei: zeroWei,
    returnedWei: zeroWei,
    payments: [],
    verdict: null,
    manifest: null,
    settlement: null,
  };
}
