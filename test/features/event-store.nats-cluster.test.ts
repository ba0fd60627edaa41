import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import type { StoredCommit } from '../../src/ports/event-store.ts';
import { sharedNatsCluster } from '../kit/nats-server.ts';
import { commitChain, testStream } from './commits.ts';
import { collect } from './event-store.harness.ts';
import { natsLog } from './event-store.nats-harness.ts';
import { sharedEventStoreFeatures } from './event-store.shared.features.ts';
import { eventually } from './feature.ts';

const cluster = sharedNatsCluster();

sharedEventStoreFeatures('JetStream, 3 replicas', async () => natsLog({ url: (await cluster()).url, replicas: 3 }));

test('a log with 3 replicas goes on without its leader: no commit is lost, doubled or out of order', async () => {
  const { url, servers } = await cluster();
  const connection = await connect({ servers: url.split(','), maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const root = 'election.v1';
  const reported: unknown[] = [];
  const store = await openNatsEventStore({
    connection,
    root,
    replicas: 3,
    onError: (error) => void reported.push(error),
  });
  const seen: StoredCommit[] = [];
  const subscription = store.subscribe(1, (stored) => void seen.push(stored));
  const chains = Array.from({ length: 4 }, (_, key) => commitChain(testStream(key), 40));
  const halfWay = Promise.withResolvers<undefined>();
  const appending = chains.map(async (chain) => {
    for (const commit of chain) {
      expect((await store.append(commit)).outcome).toBe('stored');
      if (commit.version === 20) halfWay.resolve(undefined);
    }
  });
  await halfWay.promise;
  const { cluster: group } = await (await jetstreamManager(connection)).streams.info(natsNames(root).log);
  const leader = servers.find(({ settings }) => settings.name === group?.leader);
  expect(leader).toBeDefined();
  await leader?.kill();
  await Promise.all(appending);
  await leader?.restart();
  await eventually('all commits', () => seen.length >= 160, 30_000);
  expect(seen).toEqual(await collect(store.readAll()));
  for (const chain of chains) {
    const hashes = (await collect(store.read(chain[0]!.stream))).map(({ commit }) => commit.hash);
    expect(hashes).toEqual(chain.map(({ hash }) => hash));
  }
  expect(reported).toEqual([]);
  await subscription.close();
  await store.close();
  await connection.close();
}, 90_000);
