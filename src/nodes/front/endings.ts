import { type ErrorClass, PouwError } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import type { TaskView } from '../../ports/task-views.ts';
import type { TaskEnding } from '../router/task-feed.ts';

/** The refusal to cancel what has been done and paid for. */
export function alreadyPaid(task: TaskId): PouwError {
  return new PouwError('task_not_cancellable', `Task ${task} is settled: its work is done and paid for.`, {
    class: 'forbidden',
  });
}

/** The refusal of new tasks while the chain is away. */
export function chainUnreachable(): PouwError {
  return new PouwError('chain_unreachable', 'The chain cannot be reached; tasks under way wait for it.', {
    class: 'unavailable',
    hint: 'Try again shortly.',
  });
}

/** The refusal of what is not there. */
export function notFound(code: string, what: string, id: string): PouwError {
  return new PouwError(code, `There is no ${what} ${id}.`, { class: 'not-found' });
}

/** The class of a task's failure: whether the same request may well succeed later. */
const failureClass: Readonly<Record<string, ErrorClass>> = {
  allowance_exceeded: 'payment',
  allowance_expired: 'payment',
  allowance_task_limit: 'payment',
  client_not_served: 'forbidden',
  no_miner: 'unavailable',
  parent_failed: 'invalid',
  parent_not_found: 'invalid',
  step_prompt_too_long: 'too-large',
  template_mismatch: 'invalid',
  request_id_reused: 'invalid',
  router_may_not_submit: 'forbidden',
  task_cancelled: 'invalid',
  task_expired: 'unavailable',
  task_exhausted: 'unavailable',
};

/** How watchers are told of a task's end. */
export function endingOf(view: TaskView): TaskEnding {
  if (view.state === 'settled') return { type: 'verdict', view };
  const { code, reason } = view.failure ?? { code: 'task_failed', reason: 'The task was not delivered.' };
  return { type: 'failed', failure: { code, message: reason, class: failureClass[code] ?? 'unavailable' }, view };
}
