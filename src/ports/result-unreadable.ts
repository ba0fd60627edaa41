import { PouwError } from '../core/errors.ts';
import type { TaskView } from './task-views.ts';

/** The refusal to show an answer that the validators chose and that cannot be read now. */
export function resultUnreadable({ task, unreadable }: Pick<TaskView, 'task' | 'unreadable'>): PouwError {
  return new PouwError('result_unreadable', `The answer to task ${task} cannot be read.`, {
    class: 'unavailable',
    ...(unreadable === null ? {} : { why: unreadable.reason }),
    hint: 'The task is settled and its answer named on chain: ask for it again later.',
    details: { task, ...(unreadable === null ? {} : { code: unreadable.code }) },
  });
}
