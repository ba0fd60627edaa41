import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TaskEvent } from '../../actors/task/events.ts';
import { openChainReader } from '../../src/adapters/chain/chain-reader.ts';
import { readDeploymentFile } from '../../src/adapters/chain/deployment-record.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { present } from '../../src/core/assert.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive } from '../../src/cli/cluster/drive.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { scratch } from '../kit/local-network.ts';

const place = scratch('cluster-drain');
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'drain',
    counts: { routers: 1, miners: 4, validators: 2, oracles: 1 },
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

/** The events of all sessions and of one miner, in the order of the log. */
async function events(miner: string): Promise<{ sessions: TaskEvent[]; own: { type: string; task?: string }[] }> {
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

/** What every node has at stake. */
async function stakes(): Promise<unknown[]> {
  const record = present(await readDeploymentFile(cluster.deploymentFile), 'the deployment');
  const reader = await openChainReader({ rpcUrl: cluster.relay.url, ...record, retryMs: 10_000 });
  return (await reader.nodes()).map(({ node, stakeWei }) => [node, stakeWei]);
}

const tasksOf = (found: readonly { type: string; task?: string }[], type: string): Set<string | undefined> =>
  new Set(found.filter((one) => one.type === type).map(({ task }) => task));

it('a miner’s process that is told to stop under load loses nothing', { timeout: 400_000 }, async () => {
  const driven = drive({
    urls: () => cluster.urls(),
    apiKeys: (cluster.client.ready['apiKey'] ?? '').split(' '),
    model: 'pebble-mini',
    prompts: Array.from({ length: 14 }, (_, number) => `What is a ${['dog', 'river', 'horse'][number % 3]}?`),
    maxTokens: 48,
    concurrency: 14,
    clock: systemClock,
    label: 'drain',
    onEnded: () => undefined,
    signal: new AbortController().signal,
  });
  const staked = await stakes();
  const child = cluster.nodes.find(({ options: { role } }) => role === 'miner')!;
  const address = child.ready['address'] ?? '';
  while (tasksOf((await events(address)).own, 'JobPrecommitted').size === 0) await systemClock.sleep(100);
  process.kill(child.pid!, 'SIGTERM');
  while (child.isRunning) await systemClock.sleep(50);

  // All that it had precommitted is revealed, by the log that it leaves, and judged.
  const { own } = await events(address);
  const [bound, revealed] = [tasksOf(own, 'JobPrecommitted'), tasksOf(own, 'JobRevealed')];
  expect(bound.size).toBeGreaterThan(0);
  expect([...bound].filter((task) => !revealed.has(task))).toEqual([]);
  expect([...tasksOf(own, 'JobFailed')]).toEqual([]);
  expect(readFileSync(join(child.options.folder, 'stderr.log'), 'utf8')).not.toMatch(/not revealed|be asked for/);

  // What it let go of goes to another once its deadline is over, which may be longer than a client waits.
  const letGo = tasksOf(own, 'JobCancelled');
  const done = await driven;
  expect(done.filter(({ outcome, task }) => outcome !== 'answered' && !letGo.has(task ?? undefined))).toEqual([]);
  const { sessions } = await events(address);
  const outliers = sessions.flatMap((event) => (event.type === 'ResultValidated' ? event.outliers : []));
  expect(outliers).toEqual([]);
  expect(await stakes()).toEqual(staked);
});
