import { join } from 'node:path';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { streamsManager } from '../../src/adapters/nats/streams-api.ts';
import type { DoneFault } from '../../src/cli/cluster/chaos.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive } from '../../src/cli/cluster/drive.ts';
import { failovers, takeOvers } from '../../src/cli/cluster/examine.ts';
import { defaultEmbedder, defaultModel } from '../../src/cli/compose/defaults.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { openEngine } from '../../src/cli/compose/engine.ts';
import { composeLocalNetwork } from '../../src/cli/compose/local-network.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { present } from '../../src/core/assert.ts';
import { limits } from '../../src/core/limits.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { seededPrompt } from '../../src/sim/prompts.ts';
import { quantile } from '../../src/sim/report.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';
import { startBenchNats, withNats } from './nats-server.ts';
import { Histories, openRaw, publishAll, withText } from './raw-cas.ts';

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
  /** Commits that the log on NATS got while the tasks were under way. */
  readonly commitsPerSecond: number;
  readonly latencyMs: number;
  readonly ttftMs: number;
}

/** The samples of two sides, and what the second one is. */
type Sides = readonly [ours: readonly Batch[], raw: readonly Batch[], against: string];

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
        'CAS is done on a server of its own, with the settings of the network’s (one replica, sync_interval: always); a full task waits for a chain and for models besides its commits.',
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
  const closers: (() => Promise<void>)[] = [];
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
    const log = await watchLog(processes);
    closers.push(log.close);
    const cas = await openRawCas(scratch, quick ? 500 : 2_000);
    closers.push(cas.close);
    const batch =
      (name: string, door: Door, concurrency: number, count: number) =>
      (round: number): Promise<Batch> => {
        onStep(`round ${round}: ${name}, ${concurrency} at a time`);
        return batchOf(door, `${name}/${concurrency}/${round}`, concurrency, count, log.position);
      };
    const [many, few] = quick ? [4, 2] : [32, 6];
    const samples = await interleave(quick ? 1 : 4, {
      cas: async (round): Promise<Batch> => {
        onStep(`round ${round}: the bare client`);
        const rate = await cas.perSecond();
        return { tasksPerSecond: rate, commitsPerSecond: rate, latencyMs: Number.NaN, ttftMs: Number.NaN };
      },
      ours: batch('processes', ours, 16, many),
      raw: batch('one process', raw, 16, many),
      oursAlone: batch('processes', ours, 1, few),
      rawAlone: batch('one process', raw, 1, few),
    });
    const inOne = 'the same network in one process, over the embedded bus and log';
    const pipelined = 'compare-and-swaps/s of the bare client, 500 streams at once, each on the disk';
    const row = (what: string, unit: string, key: keyof Batch, [first, second, against]: Sides): Row =>
      compared(
        { what, unit, against },
        first.map((one) => one[key]),
        second.map((one) => one[key]),
      );
    const together: Sides = [samples.ours, samples.raw, inOne];
    const alone: Sides = [samples.oursAlone, samples.rawAlone, inOne];
    const toCas: Sides = [samples.ours, samples.cas, pipelined];
    return [
      row('full tasks, 16 at a time', 'tasks/s', 'tasksPerSecond', together),
      row('full tasks, 16 at a time, beside raw pipelined CAS', 'tasks/s', 'tasksPerSecond', toCas),
      row('the commits that they make, beside raw pipelined CAS', 'commits/s', 'commitsPerSecond', toCas),
      row('latency of a task, one at a time', 'ms', 'latencyMs', alone),
      row('time to first token, one at a time', 'ms', 'ttftMs', alone),
    ];
  } finally {
    for (const close of closers) await close();
    await gateway.close();
    await network.stop(5_000);
  }
}

/** How far the log of the processes has come, for who may only look. */
async function watchLog({
  observer,
}: Cluster): Promise<{ position: () => Promise<number>; close: () => Promise<void> }> {
  const link = await connectPeer('pouw bench', observer);
  const manager = await streamsManager(link.connection, limits.logAnswerMsMax);
  const position = async (): Promise<number> => (await manager.streams.info(natsNames().log)).state.last_seq;
  return { position, close: () => link.close() };
}

/** Raw compare-and-swaps on a server of the same settings, which has a key for whoever asks. */
async function openRawCas(
  scratch: string,
  commits: number,
): Promise<{ perSecond: () => Promise<number>; close: () => Promise<void> }> {
  const nats = await startBenchNats(scratch, 'always');
  const raw = await openRaw(nats);
  const histories = new Histories();
  const streams = 500;
  return {
    perSecond: async () => {
      const texts = histories.take(streams, commits / streams).map((history) => history.map(withText));
      return perSecond(commits, () => publishAll(raw, texts));
    },
    close: () => nats.close(),
  };
}

async function batchOf(
  { urls, apiKeys }: Door,
  label: string,
  concurrency: number,
  count: number,
  position: () => Promise<number>,
): Promise<Batch> {
  const prompts = Array.from({ length: count }, (_, index) => seededPrompt(label, index));
  let driven: Awaited<ReturnType<typeof drive>> = [];
  const before = await position();
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
  const commits = (await position()) - before;
  const half = (values: readonly number[]): number => quantile(values, 0.5);
  return {
    tasksPerSecond,
    commitsPerSecond: (commits * tasksPerSecond) / count,
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
