import { systemClock } from '../../src/adapters/local/system-clock.ts';
import type { LocalNetwork } from '../../src/cli/compose/local-network.ts';
import { present } from '../../src/core/assert.ts';
import type { SessionId } from '../../src/core/ids.ts';
import { seededRequestId } from '../../src/sim/prompts.ts';
import { quantile } from '../../src/sim/report.ts';
import { runTasks, type TaskRun } from '../../src/sim/run-tasks.ts';
import { perSecond } from './interleave.ts';
import { recordedPrompts } from './recorded-engine.ts';

/** What a batch of tasks took. */
export interface Batch {
  readonly tasksPerSecond: number;
  readonly latencyMs: number;
}

/** How many tasks, how many of them at a time, and of which round. */
export interface BatchPlan {
  readonly concurrency: number;
  readonly count: number;
  readonly round: number;
}

/** Sends tasks with recorded answers through a session. @throws Error where one of them is not settled. */
export async function recordedBatch(
  network: LocalNetwork,
  session: SessionId,
  { concurrency, count, round }: BatchPlan,
): Promise<Batch> {
  const label = `bench/${concurrency}/${round}`;
  const planned = Array.from({ length: count }, (_, index) => ({
    prompt: present(recordedPrompts[index % recordedPrompts.length], 'a prompt'),
    requestId: seededRequestId(label, index),
  }));
  let runs: TaskRun[] = [];
  const tasksPerSecond = await perSecond(count, async () => {
    runs = await runTasks(planned, {
      network: network.front,
      clock: systemClock,
      session,
      model: network.engine.model,
      maxTokens: 64,
      temperature: 0,
      concurrency,
      onEnded: () => undefined,
    });
  });
  const lost = runs.find((run) => run.view?.state !== 'settled');
  if (lost !== undefined) throw new Error(`a task was not settled: ${JSON.stringify(lost.refusal ?? lost.view)}`);
  const latencies = runs.map(({ latencyMs }) => latencyMs);
  return { tasksPerSecond, latencyMs: quantile(latencies, 0.5) };
}

/** The rates of batches. */
export const rates = (all: readonly Batch[]): number[] => all.map(({ tasksPerSecond }) => tasksPerSecond);
/** The latencies of batches. */
export const latencies = (all: readonly Batch[]): number[] => all.map(({ latencyMs }) => latencyMs);
