import { taskState } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import { present } from '../../core/assert.ts';
import type { Folded } from '../../core/fold.ts';
import type { SessionId, TaskId } from '../../core/ids.ts';
import type { RouterNode } from '../router/router-node.ts';

/**
 * When a task was submitted, milliseconds since 1970: its queue time began then. Now, for one that another router has
 * only just written and that has not come here yet. `known` where it may be forgotten.
 */
export async function submittedAtOf(
  router: Pick<RouterNode, 'base' | 'session'>,
  session: SessionId,
  task: TaskId,
  known?: Folded<TaskContext>,
): Promise<number> {
  const { context } = await router.session(session);
  const { expiresAt } = (known ?? taskState(context, task)).context;
  if (expiresAt === 0) return router.base.ports.clock.now();
  return expiresAt - present(context.terms, 'the terms of a session with tasks').queueTimeoutS * 1_000;
}
