import { join } from 'node:path';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { endBatches } from '../../src/cli/compose/end-batches.ts';
import { settlements, type Settlement } from '../../src/core/settlement.ts';
import { meterChain } from '../../src/sim/metered-chain.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { interleave, median } from './interleave.ts';
import { type Batch, latencies, rates, recordedBatch } from './recorded-batch.ts';
import { recordEngine } from './recorded-engine.ts';

const redundancy = 3;
/** Jobs a miner takes at a time: none of them is what holds the tasks up. */
const minerCapacity = 256;

/** How many tasks a second the two ways to settle them allow. */
export const settlement: Figure = {
  name: 'settlement',
  title: 'settled tasks per second at k = 3 with recorded answers, each by itself and in batches, on anvil',
  run: measure,
};

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 1 : 2;
  // Each by itself, a task holds an account of its router for its transactions: more at a time wait until they are given up.
  const widths: Readonly<Record<Settlement, readonly number[]>> = quick
    ? { perTask: [8], batched: [8] }
    : { perTask: [16], batched: [16, 128] };
  onStep('recording answers');
  const engine = await recordEngine();
  const meters: ReturnType<typeof meterChain>['meter'][] = [];
  const network = await composeLocalNetwork({
    data: join(scratch, 'network'),
    engine,
    minerCapacity,
    logLevel: 'warn',
    wrapChain: (chain) => {
      const metered = meterChain(chain);
      meters.push(metered.meter);
      return metered.chain;
    },
  });
  const gas = (): number => meters.reduce((sum, { taskGas }) => sum + taskGas, 0);
  try {
    const sessions = new Map<Settlement, Awaited<ReturnType<typeof openDemoSession>>['session']>();
    for (const mode of settlements) {
      const terms = { redundancy, settlement: mode };
      const { session } = await openDemoSession(network, network.engine.model, `bench/${mode}`, terms);
      sessions.set(mode, session);
    }
    await network.ready();
    const lines: (string | number)[][] = [];
    for (const mode of settlements) {
      for (const concurrency of widths[mode]) {
        const gasOf: number[] = [];
        const run = async (round: number): Promise<Batch> => {
          onStep(`${mode}, ${concurrency} at a time, round ${round}`);
          const session = sessions.get(mode);
          if (session === undefined) throw new Error('a session for each mode is open');
          // The more batches wait for their windows the longer the next one gathers: of that this figure is not.
          if (mode === 'batched') await endBatches(network);
          const before = gas();
          const batch = await recordedBatch(network, session, { concurrency, count: concurrency, round });
          gasOf.push((gas() - before) / concurrency);
          return batch;
        };
        const { ours } = await interleave(rounds, { ours: run });
        const rate = Math.round(median(rates(ours)) * 10) / 10;
        lines.push([mode, concurrency, rate, Math.round(median(latencies(ours))), Math.round(median(gasOf.slice(1)))]);
      }
    }
    onStep('the ends of the batches');
    await endBatches(network);
    const heads = ['settlement', 'tasks at a time', 'settled tasks/s', 'latency ms', 'gas a task before claims'];
    const notes = [
      'A batched task is settled once its outcome is posted: its window of an hour and the claims come after that.',
      'The first task of a batch waits a second for others.',
    ];
    return { rows: [], matrix: { heads, lines }, notes };
  } finally {
    await network.stop(5_000);
  }
}
