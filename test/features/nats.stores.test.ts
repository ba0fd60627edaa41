import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsJobQueue } from '../../src/adapters/nats/jobs/job-queue.ts';
import { chainCursorName, openNatsCursors } from '../../src/adapters/nats/kv/cursors.ts';
import { openNatsEffectJournal } from '../../src/adapters/nats/kv/effect-journal.ts';
import { openNatsLeases } from '../../src/adapters/nats/kv/leases.ts';
import { openNatsPresenceBoard } from '../../src/adapters/nats/kv/presence-board.ts';
import { openNatsSnapshots } from '../../src/adapters/nats/kv/snapshots.ts';
import { prepareNatsNetwork } from '../../src/adapters/nats/prepare.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { hashJson } from '../../src/core/hash.ts';
import { effectId } from '../../src/core/ids.ts';
import { sessionsLease } from '../../src/core/lease-names.ts';
import { limits } from '../../src/core/limits.ts';
import { commitAfter, commitChain } from './commits.ts';
import { collect } from './event-store.harness.ts';
import { eventually } from './feature.ts';
import { model, natsNetwork, patienceMs, type PeerName, peers, sessionStream, streamOf } from './nats-network.ts';
import { pouwError } from './pouw-error.ts';

const network = natsNetwork();

test.each(['validator', 'oracle', 'client'] as const)(
  'a %s keeps and reads its own stream, and no other',
  async (name) => {
    const { connection } = network[name].link;
    const open = (): ReturnType<typeof openNatsEventStore> =>
      openNatsEventStore({ connection, reads: 'own', owner: peers[name].address });
    const stream = streamOf(name);
    const count = limits.storePageCommitsMax + 20;
    const chain = commitChain(stream, count);
    const first = await open();
    for (const commit of chain) expect((await first.append(commit)).outcome).toBe('stored');
    await first.close();
    const store = await open();
    expect((await store.head(stream))?.hash).toBe(chain.at(-1)?.hash);
    expect((await collect(store.read(stream))).map(({ commit }) => commit)).toEqual(chain);
    for (const [fromVersion, toVersion] of [
      [3, 5],
      [count, count],
      [count - 10, count - 8],
      [count + 1, count + 1],
    ] as const) {
      const part = await collect(store.read(stream, { fromVersion, toVersion }));
      expect(part.map(({ commit }) => commit)).toEqual(chain.slice(fromVersion - 1, toVersion));
    }
    expect((await store.append(chain[1]!)).outcome).toBe('duplicate');
    expect(await store.append(commitAfter(chain[0], stream, 'a rival'))).toEqual({
      outcome: 'conflict',
      version: count,
    });
    const restricted = pouwError('log_restricted', { class: 'forbidden' });
    await expect(collect(store.readAll())).rejects.toEqual(restricted);
    await expect(collect(store.heads())).rejects.toEqual(restricted);
    expect(() => store.subscribe(1, () => undefined)).toThrow(restricted);
    await store.close();
  },
);

test.each([
  ['oracle', streamOf('oracle')],
  ['miner', streamOf('miner')],
  ['router', sessionStream],
] as const)('the %s keeps snapshots, marks and cursors of %s', async (name, stream) => {
  const { connection } = network[name].link;
  const events = await openNatsEventStore({
    connection,
    reads: name === 'router' ? 'all' : 'own',
    owner: peers[name].address,
  });
  const snapshots = await openNatsSnapshots({ connection });
  const state = { note: 'x'.repeat(100) };
  const commitHash = hashJson(1);
  const snapshot = { stream, version: 1, commitHash, machineVersion: 1, stateHash: hashJson(state), state };
  await snapshots.save(snapshot);
  expect(await snapshots.load(stream)).toEqual(snapshot);
  const journal = await openNatsEffectJournal({ connection, events, streams: [stream] });
  await journal.markDone(effectId(stream, 2, 0));
  expect((await journal.done(stream)).ids).toEqual(new Set([effectId(stream, 2, 0)]));
  expect(await journal.unfinished()).toEqual((await events.head(stream)) === undefined ? [] : [stream]);
  const cursors = await openNatsCursors({ connection, owner: streamOf(name) });
  const place = chainCursorName(peers[name].address);
  await cursors.save(place, '{"block":7}');
  expect(await cursors.load(place)).toBe('{"block":7}');
  for (const opened of [snapshots, journal, cursors]) opened.close();
  await events.close();
});

test('routers share the leases of sessions', async () => {
  const name = sessionsLease(7, [peers.router.address]);
  const { connection } = network.router.link;
  const leases = await openNatsLeases({ connection, clock: systemClock });
  const again = await openNatsLeases({ connection, clock: systemClock });
  const lease = await leases.acquire(name, 'one', 60_000);
  expect(lease).toBeDefined();
  expect(await again.acquire(name, 'another', 60_000)).toBeUndefined();
  await leases.release(lease!);
  expect(await again.acquire(name, 'another', 60_000)).toMatchObject({ owner: 'another' });
});

test('every node puts itself on the board, and routers and observers see it', async () => {
  const node = { models: [], version: '0.1.0', startedAt: 1_700_000_000_000, host: 'a machine', pid: 7 };
  const nodes = ['client', 'miner', 'oracle', 'router', 'validator'] as const;
  for (const name of nodes) {
    const { connection } = network[name].link;
    const board = await openNatsPresenceBoard({ connection, clock: systemClock });
    await board.announce({ ...node, role: peers[name].role, address: peers[name].address });
  }
  for (const name of ['router', 'observer'] as const) {
    const { connection } = network[name].link;
    const board = await openNatsPresenceBoard({ connection, clock: systemClock });
    expect((await board.list()).map(({ role }) => role)).toEqual(nodes);
    await board.close();
  }
});

test('a router queues jobs, a miner of the model does them and puts aside what it cannot do', async () => {
  const [router, miner] = await Promise.all(
    (['router', 'miner'] as const).map((name) =>
      openNatsJobQueue({ connection: network[name].link.connection, clock: systemClock }),
    ),
  );
  for (const id of ['good', 'bad']) await router!.publish(model, id, new Uint8Array([1]));
  const work = miner!.work(model, { concurrency: 2 }, (job) => (job.id === 'good' ? job.ack() : job.term('too hard')));
  for (const until = performance.now() + patienceMs; (await router!.size(model)) > 0;)
    if (performance.now() > until) throw new Error('the jobs are not done');
  expect(await collect(router!.dead(model))).toMatchObject([{ id: 'bad', reason: 'too hard' }]);
  await work.close();
  await Promise.all([router!.close(), miner!.close()]);
});

test('what a network needs can be prepared again without harm', async () => {
  const { connection } = network.operator.link;
  await prepareNatsNetwork({ connection, models: [model] });
  await expect(prepareNatsNetwork({ connection, replicas: 3 })).rejects.toEqual(pouwError('nats_config_ignored'));
});

test.each(Object.keys(peers) as PeerName[])(
  'all of this was allowed to the %s, and nothing went wrong',
  async (name) => {
    const { errors, events } = network[name];
    await eventually('the connection', () => network[name].link.isUp(), patienceMs);
    expect({ errors, events }).toEqual({ errors: [], events: [] });
  },
);
