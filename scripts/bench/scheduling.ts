import { join } from 'node:path';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { present } from '../../src/core/assert.ts';
import { type Scheduling, schedulings } from '../../src/core/scheduling.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave } from './interleave.ts';
import { type Batch, latencies, rates, recordedBatch } from './recorded-batch.ts';
import { recordEngine } from './recorded-engine.ts';

/** What it costs that miners come for tasks, and are not drawn. */
export const scheduling: Figure = {
  name: 'scheduling',
  title: 'full tasks per second at k = 3 with recorded answers, miners that come first against miners that are drawn',
  run: measure,
};

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
        return recordedBatch(network, session, { concurrency, count, round });
      };
    const alone = Math.max(2, size / 6);
    const samples = await interleave(rounds, {
      came: batch('first-come', 16, size),
      drawn: batch('preassigned', 16, size),
      cameAlone: batch('first-come', 1, alone),
      drawnAlone: batch('preassigned', 1, alone),
    });
    const against = 'the same network with miners that are drawn';
    return {
      rows: [
        compared(
          { what: 'first come, 16 at a time', unit: 'tasks/s', against },
          rates(samples.came),
          rates(samples.drawn),
        ),
        compared(
          { what: 'latency of a task, one at a time', unit: 'ms', against },
          latencies(samples.cameAlone),
          latencies(samples.drawnAlone),
        ),
      ],
      notes: [],
    };
  } finally {
    for (const { network } of networks.values()) await network.stop(5_000);
  }
}
