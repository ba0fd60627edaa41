import type { Event } from '../../src/core/commit.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Folded, FoldStep } from '../../src/core/fold.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei } from '../../src/core/wei.ts';
import { type JobContext, type JobKey, jobKey, type MinerContext } from './context.ts';
import type { JobEvent } from './events.ts';
import { foldJob } from './job-machine.ts';

/** Whether a job needs nothing more. */
export function hasJobEnded(job: Folded<JobContext>): boolean {
  return job.value === 'done' || job.value === 'cancelled' || job.value === 'failed';
}

/** How many jobs are under way. */
export function openJobCount(context: MinerContext): number {
  return Object.keys(context.jobs).length - context.ended.length;
}

/** The jobs under way for a task; the chain gives a miner each task once, so there is one at most. */
export function openJobsOf(context: MinerContext, task: TaskId): Folded<JobContext>[] {
  return Object.values(context.jobs).filter((job) => job.context.task === task && !hasJobEnded(job));
}

function stepJob(context: MinerContext, event: Event): FoldStep<JobContext> {
  return foldJob.step(context.jobs[jobKey(event as JobEvent)] ?? foldJob.initial, event);
}

/** Whether the job's machine takes the event now. */
export function jobTakes(context: MinerContext, event: Event): boolean {
  return stepJob(context, event).handled;
}

/** Whether no job is under way after the event. */
export function leavesIdle(context: MinerContext, event: Event): boolean {
  const open = openJobCount(context);
  return (
    open === 1 && context.jobs[jobKey(event as JobEvent)] !== undefined && hasJobEnded(stepJob(context, event).state)
  );
}

/** The effects the job's machine asks for. */
export function jobEffects(context: MinerContext, event: Event): readonly Effect[] {
  return stepJob(context, event).effects;
}

/** The miner's jobs after an event of one of them; the oldest ended ones are let go of. */
export function jobsAfter(
  context: MinerContext,
  event: Event,
): Pick<MinerContext, 'jobs' | 'ended' | 'counts' | 'earnedWei'> {
  const key = jobKey(event as JobEvent);
  const { state } = stepJob(context, event);
  const jobs: Record<JobKey, Folded<JobContext>> = { ...context.jobs, [key]: state };
  const counts = countAfter(context.counts, event as JobEvent);
  if (!hasJobEnded(state)) return { jobs, ended: context.ended, counts, earnedWei: context.earnedWei };
  const ended = [...context.ended, key];
  while (ended.length > limits.minerEndedJobsKept) {
    const oldest = ended.shift();
    if (oldest !== undefined) delete jobs[oldest];
  }
  return { jobs, ended, counts, earnedWei: addWei(context.earnedWei, state.context.earnedWei) };
}

function countAfter(counts: MinerContext['counts'], event: JobEvent): MinerContext['counts'] {
  if (event.type === 'JobReceived') return { ...counts, received: counts.received + 1 };
  if (event.type === 'JobDone') return { ...counts, done: counts.done + 1 };
  if (event.type === 'JobCancelled') return { ...counts, cancelled: counts.cancelled + 1 };
  if (event.type === 'JobFailed') return { ...counts, failed: counts.failed + 1 };
  return counts;
}
