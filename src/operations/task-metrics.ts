import type { SessionContext } from '../../actors/session/context.ts';
import type { SessionEvent } from '../../actors/session/events.ts';
import type { Event } from '../core/commit.ts';
import type { Folded } from '../core/fold.ts';
import type { TaskId } from '../core/ids.ts';
import type { Metrics } from '../ports/metrics.ts';
import { submittedAt } from './submitted-at.ts';

/** Counts what a stored commit of a session says about its tasks. `at` is the commit's time, milliseconds since 1970. */
export function countTaskEvents(events: readonly Event[], at: number, state: Folded<unknown>, metrics: Metrics): void {
  const { context } = state as Folded<SessionContext>;
  for (const event of events as readonly SessionEvent[]) countTaskEvent(event, at, context, metrics);
}

function countTaskEvent(event: SessionEvent, at: number, context: SessionContext, metrics: Metrics): void {
  const took = (task: TaskId, outcome: 'settled' | 'refunded'): void => {
    const from = submittedAt(context, task);
    if (from === undefined) return;
    metrics.observe('pouw_task_duration_seconds', { outcome }, Math.max(0, at - from) / 1_000);
  };
  switch (event.type) {
    case 'TaskSubmitted':
      return metrics.add('pouw_tasks_submitted_total', { source: event.seen === null ? 'router' : 'chain' });
    case 'TaskSettled':
      metrics.add('pouw_tasks_settled_total', {});
      return took(event.task, 'settled');
    case 'TaskRefunded':
      metrics.add('pouw_tasks_refunded_total', { reason: event.reason });
      return took(event.task, 'refunded');
    case 'TaskFailed':
      return metrics.add('pouw_tasks_failed_total', { code: event.code });
    case 'MinerTimedOut':
      return metrics.add('pouw_task_timeouts_total', {});
    case 'ResultValidated':
      metrics.add('pouw_task_outliers_total', {}, event.outliers.length);
      metrics.add('pouw_task_tokens_total', { kind: 'prompt' }, event.promptTokens);
      return metrics.add('pouw_task_tokens_total', { kind: 'output' }, event.outputTokens);
    default:
  }
}
