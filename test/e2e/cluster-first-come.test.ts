import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskEvent } from '../../actors/task/events.ts';
import { openChainReader } from '../../src/adapters/chain/chain-reader.ts';
import { readDeploymentFile } from '../../src/adapters/chain/deployment-record.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive, type DrivenTask } from '../../src/cli/cluster/drive.ts';
import { present } from '../../src/core/assert.ts';
import { limits } from '../../src/core/limits.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { deadAfterMs } from '../../src/nodes/presence.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('cluster-first');
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'first come',
    counts: { routers: 2, miners: 4, validators: 2, oracles: 1 },
    natsServers: 1,
    model: 'pebble-mini',
    scheduling: 'first-come',
    sessions: 2,
    onStep: () => undefined,
  });
});
afterAll(async () => {
  await cluster?.stop();
  place.remove();
});

function send(label: string, count: number, concurrency = 4, maxTokens = 24): Promise<DrivenTask[]> {
  return drive({
    urls: () => cluster.urls(),
    apiKeys: (cluster.client.ready['apiKey'] ?? '').split(' '),
    model: 'pebble-mini',
    prompts: Array.from({ length: count }, (_, number) => `What is a ${['dog', 'river', 'horse'][number % 3]}?`),
    maxTokens,
    concurrency,
    clock: systemClock,
    label,
    onEnded: () => undefined,
    signal: new AbortController().signal,
  });
}

/** The events of all sessions, and of one miner, in the order of the log. */
async function logged(miner?: string): Promise<{ sessions: TaskEvent[]; own: { type: string; task?: string }[] }> {
  const link = await connectPeer('test', cluster.observer);
  const log = await openNatsEventStore({ connection: link.connection, inboxPrefix: link.inboxPrefix });
  const sessions: TaskEvent[] = [];
  const own: { type: string; task?: string }[] = [];
  for await (const { commit } of log.readAll()) {
    if (commit.stream.startsWith('session.')) sessions.push(...(commit.events as unknown as TaskEvent[]));
    if (commit.stream === `miner.${miner}`) own.push(...commit.events);
  }
  await log.close();
  await link.close();
  return { sessions, own };
}

const sessionEvents = async (): Promise<TaskEvent[]> => (await logged()).sessions;

/** What every node has at stake. */
async function stakes(): Promise<unknown[]> {
  const record = present(await readDeploymentFile(cluster.deploymentFile), 'the deployment');
  const reader = await openChainReader({ rpcUrl: cluster.relay.url, ...record, retryMs: 10_000 });
  return (await reader.nodes()).map(({ node, stakeWei }) => [node, stakeWei]);
}

const tasksOf = (found: readonly { type: string; task?: string }[], type: string): Set<string | undefined> =>
  new Set(found.filter((one) => one.type === type).map(({ task }) => task));

const chosenIn = (events: readonly TaskEvent[]) => events.filter((event) => event.type === 'MinersSelected');

describe('processes over NATS, first come, first served', () => {
  it('give each task to the miners that came for it', async () => {
    const done = await send('all', 6);
    expect(done.map(({ outcome }) => outcome)).toEqual(Array(6).fill('answered'));
    const events = await sessionEvents();
    const chosen = chosenIn(events);
    expect(chosen).toHaveLength(6);
    for (const { task, scheme, miners } of chosen) {
      const claims = events.filter((event) => event.type === 'OfferClaimed' && event.task === task);
      expect(scheme).toBe('first-come');
      expect(miners).toEqual(claims.map((claim) => claim.type === 'OfferClaimed' && claim.miner));
    }
  });

  it('give nothing to one that is killed and to one that stands still, and all to the others', async () => {
    const before = chosenIn(await sessionEvents()).length;
    const killed = cluster.nodes.find(({ options: { role } }) => role === 'miner');
    const gone = killed!.ready['address'];
    await killed!.kill();
    await systemClock.sleep(deadAfterMs + 500);
    const done = await send('killed', 4);
    expect(done.map(({ outcome }) => outcome)).toEqual(Array(4).fill('answered'));
    const chosen = chosenIn(await sessionEvents()).slice(before);
    expect(chosen).toHaveLength(4);
    expect(chosen.flatMap(({ miners }) => miners)).not.toContain(gone);
    await killed!.start();
    killed!.pause(true);
    const during = await send('paused', 4);
    killed!.pause(false);
    expect(during.map(({ outcome }) => outcome)).toEqual(Array(4).fill('answered'));
  });

  it('settle tasks as soon as enough miners are idle, whether their first claims have lapsed by then or not', async () => {
    const miners = cluster.nodes.filter(({ options: { role } }) => role === 'miner');
    const stopped = miners.slice(0, 2);
    for (const miner of stopped) miner.pause(true);
    await systemClock.sleep(4_000);
    const asked = { early: systemClock.now(), late: systemClock.now() + limits.claimHoldMs - 5_000 };
    const early = send('early', 1);
    await systemClock.sleep(asked.late - asked.early);
    const late = send('late', 1);
    await systemClock.sleep(8_000);
    for (const miner of stopped) miner.pause(false);
    const continued = systemClock.now();
    const [[first], [second]] = await Promise.all([early, late]);
    const events = await sessionEvents();
    for (const [done, at, hasLapsed] of [
      [first!, asked.early, true],
      [second!, asked.late, false],
    ] as const) {
      expect(done).toMatchObject({ outcome: 'answered', reconnects: 0 });
      expect(continued - at).toBeLessThan(done.latencyMs);
      // Found within seconds of their return, then assigned, answered, revealed, compared and paid.
      expect(at + done.latencyMs - continued).toBeLessThan(15_000);
      const own = events.filter((event) => 'task' in event && event.task === done.task);
      expect(own.some(({ type }) => type === 'ClaimLapsed')).toBe(hasLapsed);
    }
  });
});

it('a miner’s process that is told to stop under load loses nothing', { timeout: 400_000 }, async () => {
  const staked = await stakes();
  const child = cluster.nodes.findLast(({ options: { role } }) => role === 'miner')!;
  const address = child.ready['address'] ?? '';
  const before = (await logged(address)).own.length;
  const since = async () => (await logged(address)).own.slice(before);
  const driven = send('drain', 14, 14, 48);
  while (tasksOf(await since(), 'JobPrecommitted').size === 0) await systemClock.sleep(100);
  process.kill(child.pid!, 'SIGTERM');
  while (child.isRunning) await systemClock.sleep(50);

  // All that it had precommitted is revealed, by the log that it leaves, and judged.
  const own = await since();
  const [bound, revealed] = [tasksOf(own, 'JobPrecommitted'), tasksOf(own, 'JobRevealed')];
  expect(bound.size).toBeGreaterThan(0);
  expect([...bound].filter((task) => !revealed.has(task))).toEqual([]);
  expect([...tasksOf(own, 'JobFailed')]).toEqual([]);
  expect(readFileSync(join(child.options.folder, 'stderr.log'), 'utf8')).not.toMatch(/not revealed|be asked for/);

  // What it let go of goes to another once its deadline is over, which may be longer than a client waits; what it never
  // had, or shared with a miner that was late, may end for want of miners.
  const done = await driven;
  const late = (await sessionEvents()).filter((event) => event.type === 'MinerTimedOut' && event.miner !== address);
  const [had, letGo, others] = [
    tasksOf(own, 'JobReceived'),
    tasksOf(own, 'JobCancelled'),
    tasksOf(late, 'MinerTimedOut'),
  ];
  const owed = [...had].filter((task) => !letGo.has(task) && !others.has(task));
  const answered = new Set(done.filter(({ outcome }) => outcome === 'answered').map(({ task }): string | null => task));
  expect(owed.filter((task) => !answered.has(task ?? null))).toEqual([]);
  expect([...bound].some((task) => answered.has(task ?? null))).toBe(true);
  const ours = new Set(done.map(({ task }) => task));
  const outliers = (await sessionEvents()).flatMap((event) =>
    event.type === 'ResultValidated' && ours.has(event.task) ? event.outliers : [],
  );
  expect(outliers).toEqual([]);
  expect(await stakes()).toEqual(staked);
});
