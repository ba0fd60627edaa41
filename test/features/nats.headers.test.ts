import { headers, type MsgHdrs, nuid } from 'nats';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsPresenceBoard } from '../../src/adapters/nats/kv/presence-board.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import type { Commit } from '../../src/core/commit.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { eventSubject, heartbeatSubject } from '../../src/messages/subjects.ts';
import { commitChain } from './commits.ts';
import { collect } from './event-store.harness.ts';
import { eventually } from './feature.ts';
import { model, names, natsNetwork, patienceMs, peers, sessionStream, streamOf } from './nats-network.ts';

// What is stored keeps the headers that its author gave it, and a server writes its own behind them. So an author may write
// there what only a server says, or what nobody can read.
const network = natsNetwork();
const rival = peers.rival.address;

/** Headers as an author may send them, whatever the vendor's client would let pass. */
function rawHeaders(...lines: readonly string[]): MsgHdrs {
  const encode = (): Uint8Array => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  return Object.assign(headers(), { encode });
}

function manyNames(count: number): MsgHdrs {
  return rawHeaders('NATS/1.0', ...Array.from({ length: count }, (_, number) => `${number}:`));
}

/** Headers that say something, or nothing that can be read. */
const forged = {
  'another position': rawHeaders('NATS/1.0', 'Nats-Sequence: 99999999'),
  'another subject': rawHeaders('NATS/1.0', 'Nats-Subject: pouw.v1.evt.12.session.x'),
  'the end of an answer': rawHeaders('NATS/1.0 204 EOB', 'Nats-Num-Pending: 0'),
  'nothing found': rawHeaders('NATS/1.0 404 No Messages'),
  'nobody there': rawHeaders('NATS/1.0 503 No Responders'),
  'nobody there, in short': rawHeaders('NATS/1.0 503'),
  'a name that cannot be read': rawHeaders('NATS/1.0', 'no name: here'),
  // As much as a server stores: 64 KiB.
  'a great deal': manyNames(8_000),
  'a great deal that cannot be read': rawHeaders('NATS/1.0', ...Array<string>(12_000).fill('é:')),
  'one thing without an end': rawHeaders('NATS/1.0', `a: ${'x'.repeat(60_000)}`),
  'nothing that can be read': rawHeaders('NATS/1.0 x', ': :', 'é'),
} as const;
const kinds = Object.keys(forged) as (keyof typeof forged)[];

/** Stores a message under a subject as its author wants it. */
async function store(subject: string, data: Uint8Array, sent: MsgHdrs): Promise<void> {
  const { connection } = network.miner.link;
  const reply = `${network.miner.link.inboxPrefix}.${nuid.next()}`;
  const answer = connection.subscribe(reply, { max: 1, timeout: patienceMs });
  connection.publish(subject, data, { headers: sent, reply });
  for await (const { data: said } of answer) expect(JSON.parse(Buffer.from(said).toString())).toHaveProperty('seq');
}

test.each(kinds)('a commit whose headers say %s is where it is, for everybody', async (kind) => {
  const { connection, inboxPrefix } = network.router.link;
  const open = (): ReturnType<typeof openNatsEventStore> => openNatsEventStore({ connection, inboxPrefix });
  const [reader, follower] = [await open(), await open()];
  const stream = streamOf('miner');
  const before = (await reader.head(stream))?.version ?? 0;
  const chain = commitChain(stream, before + 3);
  const commits = chain.slice(before);
  const followed: string[] = [];
  const subscription = follower.subscribe(1, ({ commit }) => void followed.push(`${commit.stream}@${commit.version}`));
  for (const [index, commit] of commits.entries()) {
    const sent = index === 1 ? forged[kind] : headers();
    await store(eventSubject(stream), Buffer.from(canonicalJson(commit)), sent);
  }
  const wanted = commits.map(({ version }) => `${stream}@${version}`);
  await eventually('the commits', () => wanted.every((one) => followed.includes(one)), patienceMs);
  const read = (await collect(reader.readAll())).map(({ commit }) => `${commit.stream}@${commit.version}`);
  expect(read.slice(-3)).toEqual(wanted);
  for (const log of [reader, follower]) expect((await log.head(stream))?.version).toBe(before + 3);
  await subscription.close();
  await Promise.all([reader.close(), follower.close()]);
});

test('messages of nothing whose headers say anything cost whoever reads the log no more than others', async () => {
  const { connection, inboxPrefix } = network.router.link;
  for (let round = 0; round < 20; round += 1)
    for (const kind of kinds) await store(eventSubject(streamOf('miner')), new Uint8Array(), forged[kind]);
  const log = await openNatsEventStore({ connection, inboxPrefix, trust: { onRefused: () => {} } });
  const followed: string[] = [];
  const subscription = log.subscribe(1, ({ commit }) => void followed.push(commit.stream));
  await log.append(commitChain(sessionStream, 1)[0] as Commit);
  await eventually('the commit', () => followed.includes(sessionStream), patienceMs);
  const read = (await collect(log.readAll())).map(({ commit }) => commit.stream);
  expect(read).toContain(sessionStream);
  await subscription.close();
  await log.close();
});

test.each(kinds)('a key whose headers say %s hides no other from whoever reads the bucket', async (kind) => {
  const { router, rival: other } = network;
  const open = ({ link: { connection } }: typeof router) => openNatsPresenceBoard({ connection, clock: systemClock });
  const [mine, theirs] = [await open(router), await open(other)];
  try {
    const process = { version: '1.0.0', startedAt: 1, host: 'here', pid: 1 };
    await theirs.announce({ role: 'miner', address: rival, models: [model], ...process });
    await store(`$KV.${names.bucket('node')}.${streamOf('miner')}`, new Uint8Array(), forged[kind]);
    expect((await mine.list()).map(({ address }) => address)).toEqual([rival]);
    await store(`$KV.${names.bucket('node')}.${streamOf('miner')}`, Buffer.from('junk'), forged[kind]);
    expect((await mine.list()).map(({ address }) => address)).toEqual([rival]);
  } finally {
    await Promise.all([mine.close(), theirs.close()]);
  }
});

/** What is not stored may be larger. */
const sendable = { ...forged, 'more than a server stores': manyNames(100_000) };

test.each(Object.entries(sendable))(
  'a message whose headers say %s ends nothing for whoever hears it',
  async (_, sent) => {
    const { miner, router } = network;
    const heard: string[] = [];
    const subscription = router.bus.subscribe(
      'pouw.v1.hb.*.*',
      ({ data }) => void heard.push(Buffer.from(data).toString()),
    );
    await router.link.connection.flush();
    for (let time = 0; time < 3; time += 1)
      miner.link.connection.publish(heartbeatSubject('miner', peers.miner.address), Buffer.from('forged'), {
        headers: sent,
      });
    await miner.link.connection.flush();
    network.rival.bus.publish(heartbeatSubject('miner', rival), Buffer.from('alive'));
    await eventually('the heartbeat of the rival', () => heard.includes('alive'), patienceMs);
    await subscription.close();
    expect(router.events.filter(({ type }) => type === 'down')).toEqual([]);
  },
);
