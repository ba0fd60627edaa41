import { join } from 'node:path';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { present } from '../../src/core/assert.ts';
import { type Scheduling, schedulings } from '../../src/core/scheduling.ts';
import { seededRequestId } from '../../src/sim/prompts.ts';
import { quantile } from '../../src/sim/report.ts';
import { runTasks } from '../../src/sim/run-tasks.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';
import { recordedPrompts, recordEngine } from './recorded-engine.ts';

/** What it costs that miners come for tasks, and are not drawn. */
export const scheduling: Figure = {
  name: 'scheduling',
  title: 'full tasks per second at k = 3 with recorded answers, miners that come first against miners that are drawn',
  run: measure,
};

interface Batch {
  readonly tasksPerSecond: number;
  readonly latencyMs: number;
}

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 1 : 5;
  const size = quick ? 8 : 24;
  onStep('recording answers');
  const engine = await recordEngine();
  const networks = new Map<Scheduling, Awaited<ReturnType<typeof openNetwork>>>();
  const openNetwork = async (mode: Scheduling) => {
    const data = join(scratch, mode);
    const network = await composeLocalNetwork({ data, engine, scheduling: mode, logLevel: 'warn' });
    const { session } = await openDemoSession(network, network.engine.model, 'bench');
    await network.ready();
    return { network, session };
  };
  try {
    for (const mode of schedulings) networks.set(mode, await openNetwork(mode));
    const batch =
      (mode: Scheduling, concurrency: number, count: number) =>
      async (round: number): Promise<Batch> => {
        onStep(`round ${round}, ${mode}, ${concurrency} at a time`);
        const { network, session } = present(networks.get(mode), mode);
        const label = `bench/${concurrency}/${round}`;
        const planned = Array.from({ length: count }, (_, index) => ({
          prompt: present(recordedPrompts[index % recordedPrompts.length], 'a prompt'),
          requestId: seededRequestId(label, index),
        }));
        const latencies: number[] = [];
        const tasksPerSecond = await perSecond(count, async () => {
          const runs = await runTasks(planned, {
            network: network.front,
            clock: systemClock,
            session,
            model: network.engine.model,
            maxTokens: 64,
            temperature: 0,
            concurrency,
            onEnded: (run) => {
              if (run.view?.state !== 'settled')
                throw new Error(`a task was not settled: ${JSON.stringify(run.refusal ?? run.view)}`);
            },
          });
          latencies.push(...runs.map(({ latencyMs }) => latencyMs));
        });
        return { tasksPerSecond, latencyMs: quantile(latencies, 0.5) };
      };
    const alone = Math.max(2, size / 6);
    const samples = await interleave(rounds, {
      came: batch('first-come', 16, size),
      drawn: batch('preassigned', 16, size),
      cameAlone: batch('first-come', 1, alone),
      drawnAlone: batch('preassigned', 1, alone),
    });
    const against = 'the same network with miners that are drawn';
    const rate = (all: readonly Batch[]): number[] => all.map(({ tasksPerSecond }) => tasksPerSecond);
    const latency = (all: readonly Batch[]): number[] => all.map(({ latencyMs }) => latencyMs);
    return {
      rows: [
        compared(
          { what: 'first come, 16 at a time', unit: 'tasks/s', against },
          rate(samples.came),
          rate(samples.drawn),
        ),
        compared(
          { what: 'latency of a task, one at a time', unit: 'ms', against },
          latency(samples.cameAlone),
          latency(samples.drawnAlone),
        ),
      ],
      notes: [],
    };
  } finally {
    for (const { network } of networks.values()) await network.stop(5_000);
  }
}
