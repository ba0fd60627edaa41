import type { DeviceChoice } from '../adapters/transformers/devices.ts';
import { PouwError } from '../core/errors.ts';
import { type Hex, sha256 } from '../core/hash.ts';
import type { Address } from '../core/ids.ts';
import { merkleRoot, recordLeaf } from '../core/merkle.ts';
import type { Scheduling } from '../core/scheduling.ts';
import type { Settlement } from '../core/settlement.ts';
import { addWei, subWei, type Wei } from '../core/wei.ts';
import type { Clock } from '../ports/clock.ts';
import type { Attack } from '../sim/attacks/attack.ts';
import { meterChain } from '../sim/metered-chain.ts';
import { type ReportInput, type SimReport, simReport } from '../sim/report.ts';
import { type PlannedTask, runTasks } from '../sim/run-tasks.ts';
import { openDemoSession } from './compose/demo-session.ts';
import { claimAll, endBatches } from './compose/end-batches.ts';
import { defaultEmbedder } from './compose/defaults.ts';
import { type Engine, openEngine } from './compose/engine.ts';
import { composeLocalNetwork, type LocalNetwork } from './compose/local-network.ts';
import { stakeWei } from './compose/settings.ts';
import { Progress } from './progress.ts';
import { stopAtOnce } from './stop-at-once.ts';
import { shortId } from './table.ts';
import type { Stop } from './until-stopped.ts';

/** A simulation, decided. */
export interface SimulationPlan {
  readonly seed: string;
  readonly tasks: readonly PlannedTask[];
  readonly miners: number;
  readonly redundancy: number;
  readonly model: string;
  readonly device: DeviceChoice;
  /** The attack of each miner that has one, by its number. */
  readonly attacks: ReadonlyMap<number, Attack>;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly concurrency: number;
  /** Default `preassigned`. */
  readonly scheduling?: Scheduling;
  /** Default `perTask`. */
  readonly settlement?: Settlement;
  /** Fresh. */
  readonly data: string;
  /** Another engine than the real one: for benchmarks with recorded answers only. */
  readonly engine?: () => Promise<Engine>;
}

/** Silent miners hold a task up for this long: shorter than for people, who run bigger models. */
const simTimeouts = {
  ackTimeoutS: 5,
  executeTimeoutS: 20,
  revealTimeoutS: 10,
  validateTimeoutS: 20,
  queueTimeoutS: 120,
} as const;

/**
 * Runs a plan on a fresh network and reports. Whoever wishes to stop ends it early: the network, its chain included, is
 * stopped, at the second wish at once.
 *
 * @throws PouwError `simulation_stopped`; what starting a network throws.
 */
export async function runSimulation(plan: SimulationPlan, clock: Clock, stopped: Promise<Stop>): Promise<SimReport> {
  const progress = new Progress('simulating');
  const engine =
    plan.engine ?? (() => openEngine({ model: plan.model, embedder: defaultEmbedder, device: plan.device }));
  const metered: Metered = {};
  const network = await composeLocalNetwork({
    data: plan.data,
    secret: `0x${sha256(`pouw/sim/secret/${plan.seed}`)}`,
    counts: { routers: 2, miners: plan.miners, validators: 2, oracles: 2 },
    attacks: plan.attacks,
    scheduling: plan.scheduling,
    engine,
    onStep: (name) => progress.update(0, plan.tasks.length, `starting: ${name}`),
    wrapChain: (chain) => {
      const wrapped = meterChain(chain);
      metered.meter = wrapped.meter;
      return wrapped.chain;
    },
  });
  const early = stopped.then(({ again }): never => {
    void again.then(() => stopAtOnce(network));
    throw new PouwError('simulation_stopped', 'The simulation was stopped before its end.', {
      class: 'unavailable',
      hint: `What it has done so far is in ${plan.data}: pouw log show.`,
    });
  });
  try {
    return await Promise.race([simulate(network, plan, clock, progress, metered), early]);
  } finally {
    progress.end();
    await network.stop(5_000);
  }
}

interface Metered {
  meter?: ReturnType<typeof meterChain>['meter'];
}

async function simulate(
  network: LocalNetwork,
  plan: SimulationPlan,
  clock: Clock,
  progress: Progress,
  metered: Metered,
): Promise<SimReport> {
  const { session } = await openDemoSession(network, network.engine.model, `sim/${plan.seed}`, {
    redundancy: plan.redundancy,
    settlement: plan.settlement ?? 'perTask',
    ...simTimeouts,
  });
  await network.ready();
  const startedAt = clock.now();
  const runs = await runTasks(plan.tasks, {
    network: network.front,
    clock,
    session,
    model: network.engine.model,
    maxTokens: plan.maxTokens,
    temperature: plan.temperature,
    concurrency: plan.concurrency,
    onEnded: (run, ended) =>
      progress.update(
        ended,
        plan.tasks.length,
        `${run.view?.state ?? 'refused'} ${run.task === null ? '' : shortId(run.task)}`,
      ),
  });
  const wallMs = clock.now() - startedAt;
  if (plan.settlement === 'batched') {
    await endBatches(network);
    await claimAll(network);
  }
  await network.settle();
  const { taskGas = 0, transactions = 0 } = metered.meter ?? {};
  return simReport(await reportInput(network, plan, runs, wallMs, transactions, taskGas));
}

async function reportInput(
  network: LocalNetwork,
  plan: SimulationPlan,
  runs: ReportInput['runs'],
  wallMs: number,
  transactions: number,
  taskGas: number,
): Promise<ReportInput> {
  const { chain } = network.ports;
  const claimed = (address: Address): Promise<Wei>[] =>
    network.routers.map((router) => chain.batchClaimed(router.address, address));
  const miners = await Promise.all(
    network.miners.map(async ({ address }, index) => {
      const record = await chain.node(address);
      const slashedWei = subWei(stakeWei.miner, record?.stakeWei ?? stakeWei.miner);
      return {
        address,
        attack: plan.attacks.get(index)?.name ?? null,
        earnedWei: addWei(await chain.earnings(address), ...(await Promise.all(claimed(address)))),
        slashedWei,
      };
    }),
  );
  const ended = runs.filter((run) => run.view !== null).length;
  const { number } = await chain.block();
  return {
    seed: plan.seed,
    scheduling: plan.scheduling ?? 'preassigned',
    settlement: plan.settlement ?? 'perTask',
    runs,
    wallMs,
    miners,
    money: await chain.money(),
    log: { dir: plan.data, ...(await logTotals(network)) },
    chain: {
      blocks: number - chain.deployment.fromBlock,
      transactions,
      gasPerTask: ended === 0 ? 0 : Math.round(taskGas / ended),
    },
  };
}

async function logTotals(network: LocalNetwork): Promise<{ commits: number; events: number; head: Hex }> {
  let commits = 0;
  let events = 0;
  for await (const { commit } of network.stores.events.readAll()) {
    commits += 1;
    events += commit.events.length;
  }
  const leaves: Hex[] = [];
  for await (const { stream, version, hash } of network.stores.events.heads())
    leaves.push(recordLeaf('head', stream, version, hash));
  return { commits, events, head: merkleRoot(leaves) };
}
