import type { SessionContext } from '../../actors/session/context.ts';
import type { TaskId } from '../core/ids.ts';

/**
 * When a task was submitted, milliseconds since 1970; undefined for one that the session does not keep. Nobody has to
 * remember it, not even over a restart: its queue time began then.
 */
export function submittedAt({ terms, tasks }: SessionContext, task: TaskId): number | undefined {
  const expiresAt = tasks[task]?.context.expiresAt;
  return terms === null || expiresAt === undefined ? undefined : expiresAt - terms.queueTimeoutS * 1_000;
}
