import { join } from 'node:path';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { present } from '../../src/core/assert.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { seededRequestId } from '../../src/sim/prompts.ts';
import { quantile } from '../../src/sim/report.ts';
import { runTasks, type TaskRun } from '../../src/sim/run-tasks.ts';
import { openBareChain } from './bare-chain.ts';
import { compared, interleave, median, perSecond } from './interleave.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { recordedPrompts, recordEngine } from './recorded-engine.ts';

const redundancy = 3;

/** Whole tasks, from submission to settlement, with everything but the model. */
export const tasks: Figure = {
  name: 'tasks',
  title: 'full tasks per second at k = 3 with recorded answers, against the same transactions bare over viem',
  run: measure,
};

interface Batch {
  readonly tasksPerSecond: number;
  readonly latencyMs: number;
}

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 1 : 5;
  // Few, because anvil is the slower the more it holds: a hundred tasks cost it a third of its speed.
  const size = quick ? 8 : 24;
  onStep('recording answers');
  const engine = await recordEngine();
  const network = await composeLocalNetwork({ data: join(scratch, 'network'), engine, logLevel: 'warn' });
  const bare = await openBareChain(join(scratch, 'bare'), redundancy);
  try {
    const { session } = await openDemoSession(network, network.engine.model, 'bench', { redundancy });
    await network.ready();
    const ours =
      (concurrency: number, count: number) =>
      async (round: number): Promise<Batch> => {
        onStep(`round ${round}, ${concurrency} at a time`);
        const label = `bench/${concurrency}/${round}`;
        const planned = Array.from({ length: count }, (_, index) => ({
          prompt: promptOf(index),
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
        return {
          tasksPerSecond,
          latencyMs: quantile(
            runs.map((run) => run.latencyMs),
            0.5,
          ),
        };
      };
    const raw = (concurrency: number, count: number) => async (): Promise<Batch> => {
      const latencies: number[] = [];
      const tasksPerSecond = await perSecond(count, () => bare.run(count, concurrency, (ms) => latencies.push(ms)));
      return { tasksPerSecond, latencyMs: median(latencies) };
    };
    const alone = Math.max(2, size / 6);
    const samples = await interleave(rounds, {
      ours: ours(16, size),
      raw: raw(16, size),
      oursAlone: ours(1, alone),
      rawAlone: raw(1, alone),
    });
    const against = `the ${bare.transactionsPerTask} contract calls of a task, bare over viem, own anvil`;
    const rate = (all: readonly Batch[]): number[] => all.map(({ tasksPerSecond }) => tasksPerSecond);
    const latency = (all: readonly Batch[]): number[] => all.map(({ latencyMs }) => latencyMs);
    return {
      rows: [
        compared({ what: 'full tasks, 16 at a time', unit: 'tasks/s', against }, rate(samples.ours), rate(samples.raw)),
        compared(
          { what: 'full tasks, one at a time', unit: 'tasks/s', against },
          rate(samples.oursAlone),
          rate(samples.rawAlone),
        ),
        compared(
          { what: 'latency of a task, one at a time', unit: 'ms', against },
          latency(samples.oursAlone),
          latency(samples.rawAlone),
        ),
      ],
      notes: [],
    };
  } finally {
    await bare.close();
    await network.stop(5_000);
  }
}

function promptOf(index: number): string {
  return present(recordedPrompts[index % recordedPrompts.length], 'a prompt');
}
