import { jetstream, jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { afterEach, describe, expect, test } from 'vitest';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import { isRunning } from '../../src/adapters/process/running-process.ts';
import { sharedNatsCluster } from '../kit/nats-server.ts';
import { aMoment, eventually } from './feature.ts';

const nats = sharedNatsCluster();
const patienceMs = 30_000;
let link: NatsLink | undefined;

afterEach(async () => {
  await link?.close();
  link = undefined;
  const cluster = await nats();
  for (const server of cluster.servers) {
    server.resume();
    if (server.pid === undefined) await server.restart();
  }
  await cluster.untilReady();
});

/** Asks again until the servers agree on who leads. */
async function stubbornly<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await aMoment(50);
    }
  }
}

function store({ connection }: NatsLink, text: string): Promise<number> {
  return stubbornly(async () => (await jetstream(connection).publish('test.a', text, { msgID: text })).seq);
}

async function streamInfo({ connection }: NatsLink): Promise<StreamInfo> {
  const manager = await stubbornly(() => jetstreamManager(connection));
  return stubbornly(() => manager.streams.info('test'));
}

describe('a cluster of three NATS servers', () => {
  test('keeps a stream when the server that leads it is lost, and that one catches up', async () => {
    const cluster = await nats();
    expect(cluster.pids).toHaveLength(3);
    link = await connectNats({ servers: cluster.urls, name: 'test' });
    const manager = await jetstreamManager(link.connection);
    await manager.streams.add({ name: 'test', subjects: ['test.>'], num_replicas: 3 });
    expect(await store(link, 'with all')).toBe(1);
    const { cluster: group } = await streamInfo(link);
    const leader = cluster.servers.find(({ settings }) => settings.name === group?.leader);
    await leader?.kill();
    expect(cluster.pids).toHaveLength(2);
    expect(await store(link, 'without the leader')).toBe(2);
    await leader?.restart();
    await cluster.untilReady();
    let upToDate = 0;
    const giveUpAt = performance.now() + patienceMs;
    while (upToDate < 2 && performance.now() < giveUpAt) {
      const { cluster: now } = await streamInfo(link);
      upToDate = now?.replicas?.filter(({ current, offline }) => current && offline === undefined).length ?? 0;
    }
    expect(upToDate).toBe(2);
  });

  test('takes its clients over from a server that is frozen', async () => {
    const cluster = await nats();
    link = await connectNats({ servers: cluster.urls, name: 'test', pingMs: 200 });
    const { connection } = link;
    const events: string[] = [];
    link.listen(({ type }) => void events.push(type));
    const port = Number(connection.getServer().split(':').at(-1));
    cluster.servers.find(({ settings }) => settings.port === port)?.pause();
    await eventually('another server', () => events.includes('up'), patienceMs);
    expect(events).toEqual(['down', 'up']);
    expect(connection.getServer()).not.toContain(`:${port}`);
    await connection.flush();
  });

  test('stops as a whole and starts again with what it had', async () => {
    const cluster = await nats();
    const { pids } = cluster;
    await cluster.stop();
    expect(await Promise.all(pids.map(isRunning))).toEqual([false, false, false]);
    for (const server of cluster.servers) await server.restart();
    await cluster.untilReady();
    link = await connectNats({ servers: cluster.url, name: 'test' });
    expect((await streamInfo(link)).state.messages).toBe(2);
  });
});
