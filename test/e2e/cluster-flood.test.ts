import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive, type DrivenTask } from '../../src/cli/cluster/drive.ts';
import { present } from '../../src/core/assert.ts';
import type { Address, SessionId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { FloodOrder } from '../kit/flooder.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('cluster-flood');
const model = 'pebble-mini';
/** What a router may hold in memory while it is flooded beyond what it holds at rest, its models above all, in MiB. */
const routerMiBMore = 192;
/** Messages of the flood: twelve seconds of it. */
const floodMessages = 825_000;
const program = fileURLToPath(new URL('../kit/flooder.ts', import.meta.url));
let cluster: Cluster;
let flooder: ChildProcess | undefined;
let sent = 0;

beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'flood',
    counts: { routers: 2, miners: 4, validators: 2, oracles: 1 },
    natsServers: 1,
    model,
    sessions: 2,
    onStep: () => undefined,
  });
});
afterAll(async () => {
  flooder?.kill('SIGKILL');
  await cluster?.stop();
  place.remove();
});

const nodesOf = (role: string) => cluster.nodes.filter(({ options }) => options.role === role);
const addressesOf = (role: string) => nodesOf(role).map(({ ready }) => ready['address'] as Address);

/** Everything a miner may send, with the key of one that goes on working beside it. */
function startFlood(): void {
  const miner = present(nodesOf('miner').at(-1), 'a miner');
  const order: FloodOrder = {
    nats: cluster.natsUrl,
    nkeyFile: join(miner.options.folder, 'nats.nk'),
    miner: miner.ready['address'] as Address,
    routers: addressesOf('router'),
    session: present(cluster.client.ready['session'], 'a session').split(' ')[0] as SessionId,
  };
  flooder = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  flooder.stdout?.on('data', (bytes: Buffer) => (sent = Number(bytes.toString('utf8').trim().split('\n').at(-1))));
}

function send(label: string, count: number): Promise<DrivenTask[]> {
  return drive({
    urls: () => cluster.urls(),
    apiKeys: present(cluster.client.ready['apiKey'], 'the keys').split(' '),
    model,
    prompts: Array.from({ length: count }, (_, number) => `What is a ${['dog', 'river', 'horse'][number % 3]}?`),
    maxTokens: 24,
    concurrency: 3,
    clock: systemClock,
    label,
    onEnded: () => undefined,
    signal: new AbortController().signal,
  });
}

/** The resident memory of the routers now, in MiB. */
function routersMiB(): number[] {
  return nodesOf('router').map(({ pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
  });
}

/** A counter of all routers together. */
async function counted(name: string, ...labels: readonly string[]): Promise<number> {
  let sum = 0;
  for (const url of cluster.urls()) {
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const line of text.split('\n'))
      if (line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
        sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

describe('a miner that sends all it may, as fast as it can,', () => {
  it('takes nothing from others: tasks settle, everybody is heard, memory stays small, and it is counted', async () => {
    const seen = { miners: [] as number[], statuses: new Set<number>(), mostMiB: 0, isOver: false };
    startFlood();
    const atRest = routersMiB();
    const looking = (async () => {
      while (!seen.isOver) {
        seen.mostMiB = Math.max(seen.mostMiB, ...routersMiB());
        for (const url of cluster.urls()) {
          const answer = await fetch(`${url}/healthz`);
          seen.miners.push(((await answer.json()) as { miners: number }).miners);
        }
        await systemClock.sleep(200);
      }
    })();
    await expect.poll(() => sent, { timeout: 20_000 }).toBeGreaterThan(50_000);
    const done = await send('flooded', 12);
    await expect.poll(() => sent, { timeout: 60_000 }).toBeGreaterThan(floodMessages);
    seen.isOver = true;
    await looking;
    flooder?.kill('SIGKILL');
    expect(done.map(({ outcome }) => outcome)).toEqual(Array(12).fill('answered'));
    // A connection may break on a machine that has no time at all for it; the flood breaks none.
    expect(done.filter(({ reconnects }) => reconnects > 0).length).toBeLessThanOrEqual(2);
    // The three others; who floods is not even heard.
    expect(Math.min(...seen.miners)).toBeGreaterThanOrEqual(3);
    expect(seen.mostMiB).toBeLessThan(Math.max(...atRest) + routerMiBMore);
    const sender = `sender="${addressesOf('miner').at(-1)}"`;
    const excess = await Promise.all(
      ['heartbeat', 'tokens', 'command', 'content'].map((kind) =>
        counted('pouw_bus_excess_total', `kind="${kind}"`, sender),
      ),
    );
    for (const dropped of excess) expect(dropped).toBeGreaterThanOrEqual(limits.busShutOutAfter);
    expect(await counted('pouw_bus_shut_outs_total', sender)).toBeGreaterThanOrEqual(4);
    // Nobody else was taken for one, and no buffer overflowed.
    expect(excess.reduce((sum, dropped) => sum + dropped)).toBe(await counted('pouw_bus_excess_total', 'sender='));
    expect(await counted('pouw_bus_dropped_total', 'code="slow_subscriber"')).toBe(0);
    for (const { logFile } of cluster.natsServers)
      expect(readFileSync(logFile, 'utf8')).not.toMatch(/Violation|Slow Consumer/);
  });

  it('leaves nothing behind', async () => {
    const done = await send('after', 3);
    expect(done.map(({ outcome }) => outcome)).toEqual(Array(3).fill('answered'));
    const lines = readFileSync(join(present(nodesOf('router')[0], 'a router').options.folder, 'pouw.log'), 'utf8');
    expect(lines.length).toBeLessThan(4_194_304);
  });
});
