import { join } from 'node:path';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { openBareChain } from './bare-chain.ts';
import { compared, interleave, median, perSecond } from './interleave.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { type Batch, latencies, rates, recordedBatch } from './recorded-batch.ts';
import { recordEngine } from './recorded-engine.ts';

const redundancy = 3;

/** Whole tasks, from submission to settlement, with everything but the model. */
export const tasks: Figure = {
  name: 'tasks',
  title: 'full tasks per second at k = 3 with recorded answers, against the same transactions bare over viem',
  run: measure,
};

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
        return recordedBatch(network, session, { concurrency, count, round });
      };
    const raw = (concurrency: number, count: number) => async (): Promise<Batch> => {
      const took: number[] = [];
      const tasksPerSecond = await perSecond(count, () => bare.run(count, concurrency, (ms) => took.push(ms)));
      return { tasksPerSecond, latencyMs: median(took) };
    };
    const alone = Math.max(2, size / 6);
    const samples = await interleave(rounds, {
      ours: ours(16, size),
      raw: raw(16, size),
      oursAlone: ours(1, alone),
      rawAlone: raw(1, alone),
    });
    const against = `the ${bare.transactionsPerTask} contract calls of a task, bare over viem, own anvil`;
    return {
      rows: [
        compared(
          { what: 'full tasks, 16 at a time', unit: 'tasks/s', against },
          rates(samples.ours),
          rates(samples.raw),
        ),
        compared(
          { what: 'full tasks, one at a time', unit: 'tasks/s', against },
          rates(samples.oursAlone),
          rates(samples.rawAlone),
        ),
        compared(
          { what: 'latency of a task, one at a time', unit: 'ms', against },
          latencies(samples.oursAlone),
          latencies(samples.rawAlone),
        ),
      ],
      notes: [],
    };
  } finally {
    await bare.close();
    await network.stop(5_000);
  }
}
