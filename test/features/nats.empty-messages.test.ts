import { nuid } from 'nats';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { jobConsumerName } from '../../src/adapters/nats/jobs/job-streams.ts';
import { openNatsPresenceBoard } from '../../src/adapters/nats/kv/presence-board.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { streamsClient } from '../../src/adapters/nats/streams-api.ts';
import { blockWantSubject, eventSubject, heartbeatSubject } from '../../src/messages/subjects.ts';
import { collect } from './event-store.harness.ts';
import { aMoment, eventually } from './feature.ts';
import { model, names, natsNetwork, patienceMs, peers, streamOf } from './nats-network.ts';

// A server takes a message of nothing, between accounts, for the end of its answer, and says nothing itself where
// something is acknowledged. Whoever may write or acknowledge anything may so have others read on from there one by one.
const network = natsNetwork();
const rival = peers.rival.address;
const nothing = new Uint8Array();

/** Without a way around them each costs a pull that ends too early: minutes for so many. */
const emptiesMany = 3_000;

test('messages of nothing cost whoever reads the log no more than others', async () => {
  const { miner, router } = network;
  const own = eventSubject(streamOf('miner'));
  const client = streamsClient(miner.link.connection);
  for (let sent = 0; sent < emptiesMany; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => client.publish(own, nothing, { msgID: nuid.next() })));
  const refused: number[] = [];
  const registry = { get: () => undefined, learn: async () => {} };
  const { connection, inboxPrefix } = router.link;
  const trust = { registry, onRefused: ({ position }: { readonly position: number }) => void refused.push(position) };
  const log = await openNatsEventStore({ connection, inboxPrefix, trust });
  try {
    expect(await collect(log.readAll())).toEqual([]);
    expect(new Set(refused).size).toBeGreaterThanOrEqual(emptiesMany);
  } finally {
    await log.close();
  }
});

test('a key with nothing under it hides no other from whoever reads the bucket', async () => {
  const { miner, router, rival: other } = network;
  const open = ({ link: { connection } }: typeof router) => openNatsPresenceBoard({ connection, clock: systemClock });
  const [mine, theirs] = [await open(router), await open(other)];
  try {
    const process = { version: '1.0.0', startedAt: 1, host: 'here', pid: 1 };
    await theirs.announce({ role: 'miner', address: rival, models: [model], ...process });
    const key = `$KV.${names.bucket('node')}.${streamOf('miner')}`;
    await streamsClient(miner.link.connection).publish(key, nothing);
    expect((await mine.list()).map(({ address }) => address)).toEqual([rival]);
  } finally {
    await Promise.all([mine.close(), theirs.close()]);
  }
});

test('what a miner has the server acknowledge under the name of a rival is not taken, nor held against it', async () => {
  const { miner, router } = network;
  const subjects = [heartbeatSubject('miner', rival), blockWantSubject('*', rival).replace('*', 'bafy')];
  const taken: string[] = [];
  const beyond: string[] = [];
  const perSender = { perS: 1, atOnce: 2, onExcess: (one: string) => void beyond.push(one), known: () => [rival] };
  const subscriptions = ['pouw.v1.hb.*.*', 'pouw.v1.blk.want.*.*'].map((pattern) =>
    router.bus.subscribe(pattern, ({ data }) => void taken.push(Buffer.from(data).toString()), { perSender }),
  );
  await router.link.connection.flush();
  const place = `$JS.ACK.${names.jobs}.${jobConsumerName(model)}.1.9.9.1795890000000000000.0`;
  for (let time = 0; time < 20; time += 1) {
    for (const reply of subjects)
      for (const word of ['+WPI', '-NAK', '+ACK']) miner.link.connection.publish(place, word, { reply });
  }
  await miner.link.connection.flush();
  await aMoment(300);
  network.rival.bus.publish(subjects[0] ?? '', Buffer.from('alive'));
  await eventually('the heartbeat of the rival', () => taken.length > 0, patienceMs);
  await Promise.all(subscriptions.map((subscription) => subscription.close()));
  expect({ taken, beyond }).toEqual({ taken: ['alive'], beyond: [] });
});
