import { join } from 'node:path';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import type { DoneFault } from '../../src/cli/cluster/chaos.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive } from '../../src/cli/cluster/drive.ts';
import { failovers, takeOvers } from '../../src/cli/cluster/examine.ts';
import { defaultEmbedder, defaultModel } from '../../src/cli/compose/defaults.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { openEngine } from '../../src/cli/compose/engine.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { present } from '../../src/core/assert.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { seededPrompt } from '../../src/sim/prompts.ts';
import { quantile } from '../../src/sim/report.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';
import { withNats } from './nats-server.ts';

/** What it costs to be many processes, and how long a death is noticed. */
export const cluster: Figure = {
  name: 'cluster',
  title: 'a network of processes over NATS beside the same network in one process; the death of a router',
  run: (options) => withNats(() => measure(options)),
};

const counts = { routers: 2, miners: 4, validators: 2, oracles: 2 } as const;
const model = defaultModel;
const maxTokens = 16;
const sessions = 4;
/** How long after a kill the take-over is looked for, and after a restart hands are given back, in milliseconds. */
const settleMs = 8_000;

/** Where tasks are sent to. */
interface Door {
  readonly urls: () => readonly string[];
  readonly apiKeys: readonly string[];
}

interface Batch {
  readonly tasksPerSecond: number;
  readonly latencyMs: number;
  readonly ttftMs: number;
}

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  onStep('starting the processes');
  const processes = await startCluster({
    folder: join(scratch, 'cluster'),
    seed: 'bench',
    counts,
    natsServers: 1,
    model,
    sessions,
    onStep,
  });
  try {
    const rows = await besideOneProcess(processes, { quick, scratch, onStep });
    return {
      rows: [...rows, ...(await afterDeaths(processes, quick ? 1 : 6, onStep))],
      notes: [
        `${counts.routers} routers, ${counts.miners} miners, ${counts.validators} validators, ${counts.oracles} oracles, k = 3, ${maxTokens} tokens an answer; all processes share this machine's cores.`,
        'A router is killed with SIGKILL; the time is from there to the moment another one has taken its sessions up.',
      ],
    };
  } finally {
    await processes.stop();
  }
}

/** The same tasks through both networks in turns. */
async function besideOneProcess(processes: Cluster, { quick, scratch, onStep }: FigureOptions): Promise<Row[]> {
  const network = await composeLocalNetwork({
    data: join(scratch, 'local'),
    counts,
    engine: () => openEngine({ model, embedder: defaultEmbedder, device: 'cpu' }),
    logLevel: 'warn',
  });
  const gateway = createGateway({ network: network.front, clock: systemClock, random: systemRandom });
  try {
    const { url } = await gateway.listen('127.0.0.1', 0);
    const labels = Array.from({ length: sessions }, (_, index) => `cluster-${index}`);
    const opened = await Promise.all(labels.map((label) => openDemoSession(network, model, label)));
    await network.ready();
    const ours: Door = {
      urls: () => processes.urls(),
      apiKeys: (processes.client.ready['apiKey'] ?? '').split(' '),
    };
    const raw: Door = { urls: () => [url], apiKeys: opened.map(({ apiKey }) => apiKey) };
    const batch =
      (name: string, door: Door, concurrency: number, count: number) =>
      (round: number): Promise<Batch> => {
        onStep(`round ${round}: ${name}, ${concurrency} at a time`);
        return batchOf(door, `${name}/${concurrency}/${round}`, concurrency, count);
      };
    const [many, few] = quick ? [4, 2] : [32, 6];
    const samples = await interleave(quick ? 1 : 4, {
      ours: batch('processes', ours, 16, many),
      raw: batch('one process', raw, 16, many),
      oursAlone: batch('processes', ours, 1, few),
      rawAlone: batch('one process', raw, 1, few),
    });
    const against = 'the same network in one process, over the embedded bus and log';
    const row = (what: string, unit: string, key: keyof Batch, sides: readonly [Batch[], Batch[]]): Row =>
      compared(
        { what, unit, against },
        sides[0].map((one) => one[key]),
        sides[1].map((one) => one[key]),
      );
    const alone = [samples.oursAlone, samples.rawAlone] as const;
    return [
      row('full tasks, 16 at a time', 'tasks/s', 'tasksPerSecond', [samples.ours, samples.raw]),
      row('latency of a task, one at a time', 'ms', 'latencyMs', alone),
      row('time to first token, one at a time', 'ms', 'ttftMs', alone),
    ];
  } finally {
    await gateway.close();
    await network.stop(5_000);
  }
}

async function batchOf({ urls, apiKeys }: Door, label: string, concurrency: number, count: number): Promise<Batch> {
  const prompts = Array.from({ length: count }, (_, index) => seededPrompt(label, index));
  let driven: Awaited<ReturnType<typeof drive>> = [];
  const tasksPerSecond = await perSecond(count, async () => {
    driven = await drive({
      urls,
      apiKeys,
      model,
      prompts,
      maxTokens,
      concurrency,
      clock: systemClock,
      label,
      onEnded: () => undefined,
      signal: new AbortController().signal,
    });
  });
  const lost = driven.find(({ outcome }) => outcome !== 'answered');
  if (lost !== undefined) throw new Error(`a task was not answered: ${JSON.stringify(lost)}`);
  const half = (values: readonly number[]): number => quantile(values, 0.5);
  return {
    tasksPerSecond,
    latencyMs: half(driven.map(({ latencyMs }) => latencyMs)),
    ttftMs: half(driven.flatMap(({ ttftMs }) => (ttftMs === null ? [] : [ttftMs]))),
  };
}

/** Kills the routers in turn, each time one that has sessions. */
async function afterDeaths({ nodes }: Cluster, deaths: number, onStep: (step: string) => void): Promise<Row[]> {
  const routers = nodes.filter(({ options: { role } }) => role === 'router');
  const names = routers.map(({ options: { name, folder } }) => ({ name, folder }));
  const faults: DoneFault[] = [];
  for (let death = 0; death < deaths; death += 1) {
    const router = present(routers[death % routers.length], 'a router');
    onStep(`death ${death + 1} of ${deaths}: ${router.options.name}`);
    faults.push({ at: systemClock.now(), kind: 'kill', name: router.options.name, target: 'router', forMs: settleMs });
    await router.kill();
    await systemClock.sleep(settleMs);
    await router.start();
    await systemClock.sleep(settleMs);
  }
  const times = failovers(faults, takeOvers(names), settleMs);
  const lease = { raw: null, ratio: null, unit: 'ms', against: `${times.length} groups of sessions, ${deaths} deaths` };
  return [
    { what: 'a dead router’s sessions have another owner, half', ours: quantile(times, 0.5), ...lease },
    { what: 'a dead router’s sessions have another owner, 99 %', ours: quantile(times, 0.99), ...lease },
  ];
}
