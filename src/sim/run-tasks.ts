import { errorCode, errorMessage } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';
import type { SessionId, TaskId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { GatewayNetwork } from '../ports/gateway-network.ts';
import type { TaskView } from '../ports/task-views.ts';

/** A task to run. */
export interface PlannedTask {
  readonly prompt: string;
  readonly requestId: Hex;
}

/** What became of one. */
export interface TaskRun {
  readonly prompt: string;
  readonly task: TaskId | null;
  /** The view at its end; null where it was refused. */
  readonly view: TaskView | null;
  /** Milliseconds from submission to the first token; null where none came. */
  readonly ttftMs: number | null;
  /** Milliseconds from submission to the verdict or the refund. */
  readonly latencyMs: number;
  /** Why it was refused. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
}

/** How to run them. */
export interface RunOptions {
  readonly network: GatewayNetwork;
  readonly clock: Clock;
  readonly session: SessionId;
  readonly model: string;
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Tasks under way at a time. */
  readonly concurrency: number;
  readonly onEnded: (run: TaskRun, ended: number) => void;
}

/** Runs tasks through a network, `concurrency` at a time, in order. */
export async function runTasks(tasks: readonly PlannedTask[], options: RunOptions): Promise<TaskRun[]> {
  const runs: TaskRun[] = [];
  let next = 0;
  let ended = 0;
  const worker = async (): Promise<void> => {
    while (next < tasks.length) {
      const index = next;
      next += 1;
      const task = tasks[index];
      if (task === undefined) return;
      const run = await runOne(task, options);
      runs[index] = run;
      ended += 1;
      options.onEnded(run, ended);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, tasks.length) }, worker));
  return runs;
}

async function runOne({ prompt, requestId }: PlannedTask, options: RunOptions): Promise<TaskRun> {
  const { network, clock, session, model, maxTokens, temperature } = options;
  const startedAt = clock.now();
  let ttftMs: number | null = null;
  let view: TaskView | null = null;
  try {
    const { task, updates } = await network.submit(
      {
        session,
        requestId,
        model,
        prompt: { messages: [{ role: 'user', content: prompt }] },
        sampling: { temperature, topP: 1, topK: 0 },
        maxTokens,
        stop: [],
        topLogprobs: 0,
        delivery: 'fast',
      },
      new AbortController().signal,
    );
    for await (const update of updates) {
      if (update.type === 'token') ttftMs ??= clock.now() - startedAt;
      else if (update.type === 'verdict' || update.type === 'failed') ({ view } = update);
    }
    return { prompt, task, view, ttftMs, latencyMs: clock.now() - startedAt, refusal: null };
  } catch (error) {
    return {
      prompt,
      task: null,
      view,
      ttftMs,
      latencyMs: clock.now() - startedAt,
      refusal: { code: errorCode(error), message: errorMessage(error) },
    };
  }
}
