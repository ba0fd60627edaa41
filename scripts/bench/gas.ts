import { join } from 'node:path';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { present } from '../../src/core/assert.ts';
import type { Chain, ChainCall } from '../../src/ports/chain.ts';
import { seededRequestId } from '../../src/sim/prompts.ts';
import { runTasks } from '../../src/sim/run-tasks.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { recordedPrompts, recordEngine } from './recorded-engine.ts';

/** Gas of a whole task on a real run, call by call. */
export const gas: Figure = {
  name: 'gas',
  title: 'gas of a task at k = 3 with 2 validators, by call, on a real run',
  run: measure,
};

const redundancy = 3;

/**
 * What other networks have published of themselves, in gas, and the number of transactions where that is what is known.
 * Written down, not measured: the figure marks them so.
 */
const published = {
  ritualCreate: { gas: 142_000, what: 'published: Ritual Infernet, creating a subscription' },
  ritualWhole: { gas: 353_000, what: 'published: Ritual Infernet, create and deliver: one node, nothing validated' },
  livepeer: { gas: 350_000, what: 'published: Livepeer, redeeming one payment ticket' },
  cortensor: { transactions: 15, what: 'published: Cortensor, transactions of a task at k = 3' },
} as const;

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const count = quick ? 3 : 20;
  const engine = await recordEngine();
  const used = new Map<ChainCall['call'], number[]>();
  const network = await composeLocalNetwork({
    data: join(scratch, 'network'),
    engine,
    logLevel: 'warn',
    wrapChain: (chain) => watchGas(chain, used),
  });
  try {
    const { model } = network.engine;
    const { session } = await openDemoSession(network, model, 'gas', { redundancy });
    await network.ready();
    onStep(`${count} tasks`);
    const planned = Array.from({ length: count }, (_, index) => ({
      prompt: present(recordedPrompts[index % recordedPrompts.length], 'a prompt'),
      requestId: seededRequestId('gas', index),
    }));
    const runs = await runTasks(planned, {
      network: network.front,
      clock: systemClock,
      session,
      model,
      maxTokens: 64,
      temperature: 0,
      concurrency: 4,
      onEnded: () => undefined,
    });
    if (runs.some((run) => run.view?.state !== 'settled')) throw new Error('a task was not settled');
    await network.settle();
    return {
      rows: rowsOf(used, count),
      notes: ['Published figures are of other work in other places: they are named to show the order of magnitude.'],
    };
  } finally {
    await network.stop(5_000);
  }
}

function watchGas(chain: Chain, used: Map<ChainCall['call'], number[]>): Chain {
  return {
    ...chain,
    send: async (from, call, effect) => {
      const receipt = await chain.send(from, call, effect);
      used.set(call.call, [...(used.get(call.call) ?? []), receipt.gasUsed]);
      return receipt;
    },
  };
}

/** A router carries what it can; who has sent its part itself shows up in a row of its own. */
const taskCalls = [
  'submit',
  'assign',
  'precommitMany',
  'revealMany',
  'settleWith',
  'attestMany',
  'ack',
  'precommit',
  'reveal',
  'attest',
  'settle',
] as const satisfies readonly ChainCall['call'][];

/** How many of a call there are in a task: whole, or with what is missing to it. */
function rate(perTask: number): string {
  return Number.isInteger(perTask) ? String(perTask) : perTask.toFixed(2);
}

function rowsOf(used: ReadonlyMap<ChainCall['call'], readonly number[]>, tasks: number): Row[] {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const of = (call: ChainCall['call']): readonly number[] => used.get(call) ?? [];
  const total = sum(taskCalls.map((call) => sum(of(call)))) / tasks;
  const transactions = sum(taskCalls.map((call) => of(call).length)) / tasks;
  const against = (what: string, unit: string, ours: number, peer: string, raw: number): Row => ({
    what,
    unit,
    ours,
    raw,
    ratio: ours / raw,
    against: peer,
  });
  const calls = taskCalls
    .filter((call) => of(call).length > 0)
    .map((call): Row => {
      const each = of(call);
      return {
        what: `${call} (${rate(each.length / tasks)} a task)`,
        unit: 'gas each',
        ours: sum(each) / each.length,
        raw: null,
        ratio: null,
        against: `${((100 * sum(each)) / (tasks * total)).toFixed(0)} % of a task`,
      };
    });
  const anchors = of('anchor');
  return [
    ...calls,
    against('submit', 'gas', sum(of('submit')) / tasks, published.ritualCreate.what, published.ritualCreate.gas),
    against('a whole task', 'gas', total, published.ritualWhole.what, published.ritualWhole.gas),
    against(
      "a whole task, a miner's part of it",
      'gas',
      total / redundancy,
      published.ritualWhole.what,
      published.ritualWhole.gas,
    ),
    against(
      'attestations and settlement: pays everybody',
      'gas',
      sum([...of('settleWith'), ...of('attestMany'), ...of('attest'), ...of('settle')]) / tasks,
      published.livepeer.what,
      published.livepeer.gas,
    ),
    against(
      'transactions of a task',
      'transactions',
      transactions,
      published.cortensor.what,
      published.cortensor.transactions,
    ),
    ...(anchors.length === 0
      ? []
      : [
          {
            what: 'anchor of the whole log, each epoch',
            unit: 'gas each',
            ours: sum(anchors) / anchors.length,
            raw: null,
            ratio: null,
            against: 'whatever the number of tasks',
          },
        ]),
  ];
}
