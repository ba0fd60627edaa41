import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive, type DrivenTask } from '../../src/cli/cluster/drive.ts';
import type { TaskEvent } from '../../actors/task/events.ts';
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
    model: 'pebble-chat',
    scheduling: 'first-come',
    sessions: 2,
    onStep: () => undefined,
  });
});
afterAll(async () => {
  await cluster?.stop();
  place.remove();
});

function send(label: string, count: number): Promise<DrivenTask[]> {
  return drive({
    urls: () => cluster.urls(),
    apiKeys: (cluster.client.ready['apiKey'] ?? '').split(' '),
    model: 'pebble-chat',
    prompts: Array.from({ length: count }, (_, number) => `What is a ${['dog', 'river', 'horse'][number % 3]}?`),
    maxTokens: 24,
    concurrency: 4,
    clock: systemClock,
    label,
    onEnded: () => undefined,
    signal: new AbortController().signal,
  });
}

/** The events of all sessions, in the order of the log. */
async function sessionEvents(): Promise<TaskEvent[]> {
  const link = await connectPeer('test', cluster.observer);
  const log = await openNatsEventStore({ connection: link.connection, inboxPrefix: link.inboxPrefix });
  const found: TaskEvent[] = [];
  for await (const { commit } of log.readAll())
    if (commit.stream.startsWith('session.')) found.push(...(commit.events as unknown as TaskEvent[]));
  await log.close();
  await link.close();
  return found;
}

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

  // The second time the first claims have lapsed before the others are back.
  it.each([8_000, 18_000])('settle a task as soon as enough miners are idle: two stand still for %d ms', async (ms) => {
    const miners = cluster.nodes.filter(({ options: { role } }) => role === 'miner');
    const stopped = miners.slice(0, 2);
    for (const miner of stopped) miner.pause(true);
    await systemClock.sleep(4_000);
    const asked = systemClock.now();
    const sent = send(`stopped ${ms}`, 1);
    await systemClock.sleep(ms);
    for (const miner of stopped) miner.pause(false);
    const continued = systemClock.now();
    const [done] = await sent;
    expect(done).toMatchObject({ outcome: 'answered', reconnects: 0 });
    expect(continued - asked).toBeLessThan(done!.latencyMs);
    // Found within seconds of their return, then assigned, answered, revealed, compared and paid.
    expect(asked + done!.latencyMs - continued).toBeLessThan(15_000);
    const events = (await sessionEvents()).filter((event) => 'task' in event && event.task === done!.task);
    const lapsed = events.filter(({ type }) => type === 'ClaimLapsed').length;
    expect(lapsed > 0).toBe(ms > limits.claimHoldMs);
  });
});
