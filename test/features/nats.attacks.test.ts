import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsJobQueue } from '../../src/adapters/nats/jobs/job-queue.ts';
import { jobConsumerName } from '../../src/adapters/nats/jobs/job-streams.ts';
import { isForbidden } from '../../src/adapters/nats/nats-errors.ts';
import { answersTo, inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import { streamsClient, streamsManager } from '../../src/adapters/nats/streams-api.ts';
import { ownConsumerName } from '../../src/adapters/nats/store/names.ts';
import { type Cid, streamId, type TaskId, toAddress } from '../../src/core/ids.ts';
import { anchorLease, sessionsLease } from '../../src/core/lease-names.ts';
import { limits } from '../../src/core/limits.ts';
import {
  blockRangeSubject,
  blockWantSubject,
  commandSubject,
  deadJobSubject,
  eventSubject,
  heartbeatSubject,
  jobSubject,
  tokenSubject,
} from '../../src/messages/subjects.ts';
import { aMoment, eventually } from './feature.ts';
import {
  model,
  names,
  natsNetwork,
  otherModel,
  patienceMs,
  peers,
  type PeerName,
  session,
  sessionStream,
  streamOf,
} from './nats-network.ts';
import { pouwError } from './pouw-error.ts';

const network = natsNetwork();
const task = `0x${'1'.repeat(64)}` as TaskId;
const rival = peers.rival.address;
const rivalEvents = eventSubject(streamOf('rival'));
/** The lease of sessions whose terms name one router. */
const leaseKey = `$KV.${names.bucket('lease')}.${sessionsLease(1, [peers.router.address])}`;
/** As many other routers as a session can name. */
const others = Array.from({ length: limits.sessionRoutersMax }, (_, n) =>
  toAddress(`0x${(n + 160).toString(16).repeat(20)}`),
);
/** Keys among the leases that a router may not write: of groups that do not name it, and of no group. */
const strangeLeases = [
  sessionsLease(1, [rival]),
  sessionsLease(1, others),
  `${sessionsLease(1, others)}.${peers.router.address}.end`,
  `sessions.1.${others.join('.')}.${peers.router.address}.end`,
  `sessions.1.${peers.router.address}`,
  `sessions.${peers.router.address}.1.end`,
  sessionStream,
  streamOf('router'),
  `${anchorLease}.more`,
];

/** Stands for whoever tries something. */
const self = toAddress(`0x${'e'.repeat(40)}`);

/** Something that a peer tries although it is not for it: to publish, with the data, or to subscribe. */
interface Attempt {
  readonly what: string;
  readonly publish?: string;
  readonly data?: object;
  readonly subscribe?: string;
}

/** What nobody may do who is no router or operator; reading the log is for oracles too. */
const byNode: readonly Attempt[] = [
  { what: "writing a session's events", publish: eventSubject(sessionStream), data: { forged: true } },
  { what: "writing a rival's events", publish: rivalEvents, data: { forged: true } },
  { what: 'hearing what is written to the log', subscribe: 'pouw.v1.evt.>' },
  { what: "hearing what is written to a rival's stream", subscribe: rivalEvents },
  { what: 'hearing of all commits', subscribe: 'pouw.v1.new.>' },
  { what: 'saying that a commit was stored', publish: `pouw.v1.new.00.${sessionStream}` },
  { what: "reading a rival's newest commit", publish: `$JS.nodes.API.DIRECT.GET.${names.log}.${rivalEvents}` },
  { what: 'reading any commit from a replica', publish: `$JS.nodes.API.DIRECT.GET.${names.log}`, data: { seq: 1 } },
  { what: 'reading any commit', publish: `$JS.nodes.API.STREAM.MSG.GET.${names.log}`, data: { seq: 1 } },
  { what: "reading a rival's stream", publish: `$JS.nodes.API.CONSUMER.CREATE.${names.log}.spy.${rivalEvents}` },
  {
    what: "using a rival's consumer",
    publish: `$JS.nodes.API.CONSUMER.CREATE.${names.log}.${ownConsumerName(rival)}.${rivalEvents}`,
  },
  {
    what: "taking a rival's consumer away",
    publish: `$JS.nodes.API.CONSUMER.DELETE.${names.log}.${ownConsumerName(rival)}`,
  },
  { what: 'reading the whole log', publish: `$JS.nodes.API.CONSUMER.CREATE.${names.log}.spy` },
  { what: 'reading the log without a name', publish: `$JS.nodes.API.CONSUMER.CREATE.${names.log}` },
  { what: 'reading the log the old way', publish: `$JS.nodes.API.CONSUMER.DURABLE.CREATE.${names.log}.spy` },
  { what: 'finding the consumers of others', publish: `$JS.nodes.API.CONSUMER.NAMES.${names.log}` },
  { what: 'hearing everything', subscribe: '>' },
  { what: 'hearing all tokens', subscribe: 'pouw.v1.tok.>' },
  { what: "hearing a rival's tokens", subscribe: tokenSubject('*', '*', rival) },
  { what: "speaking in a rival's name", publish: tokenSubject(session, task, rival) },
  { what: "hearing a rival's commands", subscribe: commandSubject('miner', rival, 'job', '*') },
  { what: 'hearing all commands', subscribe: 'pouw.v1.cmd.>' },
  { what: 'commanding a rival', publish: commandSubject('miner', rival, 'cancel', self) },
  { what: "writing a rival's idle rounds", publish: eventSubject(streamId('network', rival)), data: { forged: true } },
  { what: 'submitting tasks as a router', publish: commandSubject('router', peers.router.address, 'submit', self) },
  { what: 'having a router keep content', publish: commandSubject('router', peers.router.address, 'keep', self) },
  { what: 'cancelling tasks as a router', publish: commandSubject('router', peers.router.address, 'cancel', self) },
  { what: "asking for a rival's words", publish: commandSubject('miner', rival, 'resend', self) },
  { what: "hearing who asks for a rival's words", subscribe: commandSubject('miner', rival, 'resend', '*') },
  { what: "hearing a router's tasks", subscribe: commandSubject('router', peers.router.address, 'submit', '*') },
  { what: "hearing a router's answers", subscribe: `${inboxPrefixOf(peers.router.address)}.>` },
  { what: 'hearing all answers', subscribe: '_INBOX_*.>' },
  { what: "hearing other peers' answers to a router", subscribe: `${answersTo(peers.router.address)}.>` },
  { what: "answering in the servers' place", publish: `${inboxPrefixOf(peers.router.address)}.x.1` },
  { what: "asking for blocks in a rival's name", publish: blockRangeSubject(peers.router.address, rival) },
  { what: "wanting blocks in a rival's name", publish: blockWantSubject('bafy' as Cid, rival) },
  { what: "beating a rival's heart", publish: heartbeatSubject('miner', rival) },
  { what: 'taking the lease of a session', publish: leaseKey, data: { owner: 'me' } },
  {
    what: 'writing a key of its own among the leases',
    publish: `$KV.${names.bucket('lease')}.${streamOf('miner')}`,
    data: { owner: 'me' },
  },
  {
    what: 'reading the lease of a session',
    publish: `$JS.nodes.API.DIRECT.GET.KV_${names.bucket('lease')}.${leaseKey}`,
  },
  { what: 'filling a bucket with keys', publish: `$KV.${names.bucket('node')}.miner.${self}.k1` },
  { what: 'filling a bucket with parts', publish: `$KV.${names.bucket('snap')}.miner.${self}.a.17` },
  { what: 'filling a bucket with cursors', publish: `$KV.${names.bucket('done')}.miner.${self}.cursor.k1` },
  { what: 'reading any key', publish: `$JS.nodes.API.STREAM.MSG.GET.KV_${names.bucket('lease')}`, data: { seq: 1 } },
  { what: 'hearing all keys', subscribe: '$KV.>' },
  { what: "changing a session's snapshot", publish: `$KV.${names.bucket('snap')}.${sessionStream}` },
  { what: 'deleting the log', publish: `$JS.nodes.API.STREAM.DELETE.${names.log}` },
  { what: 'purging the log', publish: `$JS.nodes.API.STREAM.PURGE.${names.log}` },
  { what: 'changing the log', publish: `$JS.nodes.API.STREAM.UPDATE.${names.log}`, data: { name: names.log } },
  { what: 'deleting a commit', publish: `$JS.nodes.API.STREAM.MSG.DELETE.${names.log}`, data: { seq: 1 } },
  {
    what: 'catching tokens in a stream',
    publish: '$JS.nodes.API.STREAM.CREATE.mine',
    data: { subjects: ['pouw.v1.tok.>'] },
  },
  { what: 'listing streams', publish: '$JS.nodes.API.STREAM.LIST' },
  { what: 'asking about the account', publish: '$JS.nodes.API.INFO' },
  { what: 'asking about the servers', publish: '$SYS.REQ.SERVER.PING' },
  { what: 'hearing what servers tell', subscribe: '$SYS.>' },
  { what: 'making up work', publish: jobSubject(model) },
  { what: 'changing who gets jobs', publish: `$JS.nodes.API.CONSUMER.CREATE.${names.jobs}.x.${jobSubject(model)}` },
];

/** What a miner may not do although others of its kind may something alike. */
const byMiner: readonly Attempt[] = [
  {
    what: 'taking jobs for a model it does not serve',
    publish: `$JS.nodes.API.CONSUMER.MSG.NEXT.${names.jobs}.${jobConsumerName(otherModel)}`,
  },
  {
    what: 'acknowledging jobs it did not take',
    publish: `$JS.ACK.${names.jobs}.${jobConsumerName(otherModel)}.1.1.1.1.0`,
  },
  { what: 'giving up jobs it did not take', publish: deadJobSubject(otherModel) },
  {
    what: "saying whose keys may use a client's session",
    publish: commandSubject('router', peers.router.address, 'bind-key', self),
  },
  {
    what: "claiming in a rival's name",
    publish: commandSubject('router', peers.router.address, 'claim', rival),
  },
  { what: 'hearing the claims of others', subscribe: commandSubject('router', peers.router.address, 'claim', '*') },
  { what: 'commanding itself', publish: commandSubject('miner', peers.miner.address, 'job', self) },
  { what: 'beating as a router', publish: heartbeatSubject('router', peers.miner.address) },
];

/** What only a miner may do. */
const byNoMiner: readonly Attempt[] = [
  { what: 'claiming a place of a task', publish: commandSubject('router', peers.router.address, 'claim', self) },
  { what: 'taking jobs', publish: `$JS.nodes.API.CONSUMER.MSG.NEXT.${names.jobs}.${jobConsumerName(model)}` },
];

const byRouter: readonly Attempt[] = [
  { what: "writing a miner's events", publish: rivalEvents },
  { what: "speaking in a miner's name", publish: tokenSubject(session, task, rival) },
  { what: "beating another's heart", publish: heartbeatSubject('miner', rival) },
  { what: "hearing a miner's commands", subscribe: commandSubject('miner', rival, 'job', '*') },
  { what: 'binding keys as a client', publish: commandSubject('router', peers.router.address, 'bind-key', self) },
  { what: "hearing another router's tasks", subscribe: commandSubject('router', rival, 'submit', '*') },
  { what: 'deleting the log', publish: `$JS.nodes.API.STREAM.DELETE.${names.log}` },
  { what: 'purging the log', publish: `$JS.nodes.API.STREAM.PURGE.${names.log}` },
  { what: 'making a stream', publish: '$JS.nodes.API.STREAM.CREATE.mine' },
  ...strangeLeases.map((key) => ({
    what: `taking the lease ${key.replaceAll(/0x(..)\w+/g, '$1')}`,
    publish: `$KV.${names.bucket('lease')}.${key}`,
  })),
];

const byObserver: readonly Attempt[] = [
  { what: "writing a session's events", publish: eventSubject(sessionStream) },
  { what: 'taking a lease', publish: leaseKey },
  { what: 'hearing tokens', subscribe: tokenSubject('*', '*', '*') },
  { what: 'commanding a miner', publish: commandSubject('miner', rival, 'job', self) },
  { what: "asking for a miner's words", publish: commandSubject('miner', rival, 'resend', self) },
  { what: 'submitting tasks', publish: commandSubject('router', peers.router.address, 'submit', self) },
  { what: 'beating', publish: heartbeatSubject('miner', peers.observer.address) },
  { what: 'deleting the log', publish: `$JS.nodes.API.STREAM.DELETE.${names.log}` },
];

const byOperator: readonly Attempt[] = [
  { what: "writing a session's events", publish: eventSubject(sessionStream) },
  { what: 'commanding a miner', publish: commandSubject('miner', rival, 'job', self) },
  { what: "speaking in a miner's name", publish: tokenSubject(session, task, rival) },
  { what: 'writing a key', publish: leaseKey },
];

/** Tries something and returns what the server refused of it, as the peer itself is told. */
async function refused(name: PeerName, { publish: by, data = {}, subscribe }: Attempt): Promise<unknown[]> {
  const publish = by?.replace(self, peers[name].address);
  const { link, events } = network[name];
  const { connection } = link;
  const before = events.length;
  const reply = `${link.inboxPrefix}.attack`;
  if (publish !== undefined) connection.publish(publish, JSON.stringify(data), { reply });
  if (subscribe !== undefined) connection.subscribe(subscribe, { callback: () => undefined });
  await connection.flush();
  // The server has spoken; its words are on their way through the client.
  await eventually('a refusal', () => events.length > before, patienceMs);
  return events.slice(before).map((event) => (event.type === 'forbidden' ? event.refused.error : event));
}

function refusalOf(name: PeerName, { publish: by, subscribe }: Attempt): unknown {
  const publish = by?.replace(self, peers[name].address);
  const operation = publish === undefined ? 'subscribe' : 'publish';
  return pouwError('nats_forbidden', { class: 'forbidden', details: { operation, subject: publish ?? subscribe } });
}

/** What oracles may do as routers may: they say what the log says of nodes. */
const readings: ReadonlySet<string> = new Set([
  'hearing of all commits',
  "reading a rival's newest commit",
  'reading any commit from a replica',
  'reading any commit',
  "reading a rival's stream",
  "using a rival's consumer",
  "taking a rival's consumer away",
  'reading the whole log',
  'reading the log without a name',
]);

describe.each(['miner', 'validator', 'oracle', 'client'] as const)('a %s is refused', (name) => {
  test.each(byNode.filter(({ what }) => name !== 'oracle' || !readings.has(what)))('$what', async (attempt) => {
    expect(await refused(name, attempt)).toEqual([refusalOf(name, attempt)]);
  });
});

describe.each(['validator', 'oracle', 'client', 'observer'] as const)('a %s, which is no miner, is refused', (name) => {
  test.each(byNoMiner)('$what', async (attempt) => {
    expect(await refused(name, attempt)).toEqual([refusalOf(name, attempt)]);
  });
});

describe.each([
  { name: 'miner', attempts: byMiner },
  { name: 'router', attempts: byRouter },
  { name: 'observer', attempts: byObserver },
  { name: 'operator', attempts: byOperator },
] as const)('a $name is refused', ({ name, attempts }) => {
  test.each(attempts)('$what', async (attempt) => {
    expect(await refused(name, attempt)).toEqual([refusalOf(name, attempt)]);
  });
});

describe('a miner that does what it may, to do what it may not,', () => {
  const own = eventSubject(streamOf('miner'));
  const consumerName = ownConsumerName(peers.miner.address);
  const consumer = (config: object): string =>
    JSON.stringify({
      stream_name: names.log,
      config: { ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All, ...config },
    });
  const create = async (name: string, config: object): Promise<unknown> => {
    const subject = `$JS.nodes.API.CONSUMER.CREATE.${names.log}.${name}.${own}`;
    const { connection } = network.miner.link;
    return (await connection.request(subject, consumer({ name, ...config }), { timeout: patienceMs })).json();
  };

  test.each([
    { what: 'another filter than that of its own stream', config: { filter_subject: rivalEvents } },
    { what: 'a second filter', config: { filter_subjects: [own, rivalEvents] } },
    { what: 'no filter', config: {} },
    { what: 'a filter for everything', config: { filter_subject: '>' } },
  ])('makes no consumer with $what', async ({ config }) => {
    expect(await create(consumerName, config)).toMatchObject({ error: { code: 400 } });
  });

  test('makes no consumer of its own stream beside the one of its name', async () => {
    const more = `$JS.nodes.API.CONSUMER.CREATE.${names.log}.more.${own}`;
    const attempt = { what: 'a second consumer', publish: more, data: {} };
    expect(await refused('miner', attempt)).toEqual([refusalOf('miner', attempt)]);
  });

  test.each([
    ['the lease of a session', leaseKey],
    ["a rival's stream", rivalEvents],
    ['the end of a stream', `$JS.API.STREAM.DELETE.${names.jobs}`],
    ['the end of a stream, as nodes name it', `$JS.nodes.API.STREAM.DELETE.${names.jobs}`],
  ])('has the servers write and delete nothing: %s', async (_what, target) => {
    const { router, operator } = network;
    const streams = await streamsManager(operator.link.connection, patienceMs);
    const count = async (): Promise<unknown> =>
      Promise.all(
        [names.log, names.jobs, `KV_${names.bucket('lease')}`].map(
          async (stream) => (await streams.streams.info(stream)).state.messages,
        ),
      );
    // Of a request to delete a stream, only one without content counts.
    const before = await streamsClient(network.miner.link.connection)
      .publish(own, '')
      .then(() => count());
    await create(consumerName, { filter_subject: own, deliver_subject: target });
    const { connection } = network.miner.link;
    connection.publish(`$JS.nodes.API.DIRECT.GET.${names.log}.${own}`, '', { reply: target });
    await connection.request(`$JS.nodes.API.CONSUMER.DELETE.${names.log}.${consumerName}`, '', { timeout: patienceMs });
    await create(consumerName, { filter_subject: own });
    connection.publish(`$JS.nodes.API.CONSUMER.MSG.NEXT.${names.log}.${consumerName}`, '{"batch":9,"no_wait":true}', {
      reply: target,
    });
    // Its own inbox has all of it, when it wants that.
    const inbox = `${network.miner.link.inboxPrefix}.own`;
    const got = connection.subscribe(inbox, { max: 1 });
    connection.publish(`$JS.nodes.API.DIRECT.GET.${names.log}.${own}`, '', { reply: inbox });
    for await (const { data } of got) expect(data).toHaveLength(0);
    await router.link.connection.flush();
    await aMoment(200);
    expect(await count()).toEqual(before);
  });
});

/** What a peer may send that comes to itself, and so with the subject for answers that it has chosen. */
const toItself = (name: PeerName): string => blockWantSubject('bafy' as Cid, peers[name].address);

describe.each(['miner', 'validator', 'oracle', 'client', 'router'] as const)(
  'a %s that asks itself for an answer elsewhere',
  (name) => {
    test.each([
      { what: "a session's stream", target: eventSubject(streamOf('rival')) },
      { what: 'a heartbeat', target: heartbeatSubject('miner', rival) },
      { what: 'the end of the log', target: `$JS.nodes.API.STREAM.DELETE.${names.log}` },
      { what: "the servers' answers to another", target: `${inboxPrefixOf(rival)}.x.y` },
      { what: 'commands to a rival', target: commandSubject('miner', rival, 'job', self) },
    ])('is refused it: $what', async ({ target }) => {
      const { link, events } = network[name];
      const { connection } = link;
      const before = events.length;
      const subscription = connection.subscribe(toItself(name), {
        callback: (_, message) => void message.respond('forged'),
      });
      connection.publish(toItself(name), '', { reply: target });
      await eventually('a refusal', () => events.length > before, patienceMs);
      subscription.unsubscribe();
      expect(events.slice(before)).toMatchObject([{ type: 'forbidden', refused: { subject: target } }]);
    });
  },
);

test('a key that may not use the queues of jobs is told so when it opens them', async () => {
  const { connection } = network.oracle.link;
  const refusal: unknown = await openNatsJobQueue({ connection, clock: systemClock, reachMs: 4_000 }).catch(
    (error: unknown) => error,
  );
  expect(isForbidden(refusal)).toBe(true);
});

test('the commits and keys of others are what they were after all of this', async () => {
  const { connection } = network.observer.link;
  for (const stream of [sessionStream, streamOf('rival')]) {
    const subject = `$JS.nodes.API.DIRECT.GET.${names.log}.${eventSubject(stream)}`;
    const newest = await connection.request(subject, '', { timeout: patienceMs });
    expect(newest.json()).toMatchObject({ stream, version: 1 });
  }
  for (const key of [leaseKey, ...strangeLeases.map((name) => `$KV.${names.bucket('lease')}.${name}`)]) {
    const lease = `$JS.nodes.API.DIRECT.GET.KV_${names.bucket('lease')}.${key}`;
    const answer = await network.router.link.connection.request(lease, '', { timeout: patienceMs });
    expect(answer.headers?.code).toBe(404);
  }
});
