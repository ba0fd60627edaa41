import type { SessionContext } from '../../actors/session/context.ts';
import { taskOf } from '../../actors/session/tasks.ts';
import type { TaskId } from '../core/ids.ts';

/**
 * When a task was submitted, milliseconds since 1970; undefined for one that the session does not keep. Nobody has to
 * remember it, not even over a restart: its queue time began then.
 */
export function submittedAt(context: SessionContext, task: TaskId): number | undefined {
  const expiresAt = taskOf(context, task)?.context.expiresAt;
  return context.terms === null || expiresAt === undefined
    ? undefined
    : expiresAt - context.terms.queueTimeoutS * 1_000;
}
