import { AckPolicy, DeliverPolicy, type JetStreamClient } from '@nats-io/jetstream';
import type { Msg } from 'nats';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsJobQueue } from '../../src/adapters/nats/jobs/job-queue.ts';
import { jobConsumerName } from '../../src/adapters/nats/jobs/job-streams.ts';
import { answersTo } from '../../src/adapters/nats/inbox-prefix.ts';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { streamsClient, streamsManager } from '../../src/adapters/nats/streams-api.ts';
import { ownConsumerName } from '../../src/adapters/nats/store/names.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { limits } from '../../src/core/limits.ts';
import { streamId, type TaskId, toAddress } from '../../src/core/ids.ts';
import { anchorLease, routersOfLease, sessionsLease } from '../../src/core/lease-names.ts';
import type { JobQueue } from '../../src/ports/job-queue.ts';
import {
  commandSubject,
  eventSubject,
  heartbeatSubject,
  jobSubject,
  tokenSubject,
} from '../../src/messages/subjects.ts';
import { bytes, listen, text } from './bus.harness.ts';
import { commitChain } from './commits.ts';
import { aMoment, eventually } from './feature.ts';
import {
  model,
  names,
  natsNetwork,
  patienceMs,
  peers,
  type PeerName,
  session,
  sessionStream,
  streamOf,
} from './nats-network.ts';

const network = natsNetwork();
const task = `0x${'1'.repeat(64)}` as TaskId;

/** JetStream for a peer that may not ask about the account. */
function streamsOf(name: PeerName): JetStreamClient {
  return streamsClient(network[name].link.connection);
}

/** A bucket whose keys are each read on a subject of their own. */
function bucketOf(name: PeerName, bucket: 'lease' | 'snap' | 'done' | 'node'): Promise<Bucket> {
  const ageMs = bucket === 'node' ? limits.presenceMs : undefined;
  return Bucket.open(bucket, { connection: network[name].link.connection }, ageMs);
}

describe('with permissions for its role and no more', () => {
  test('a router commands miners, validators and other routers, and gets their answers', async () => {
    const { router, miner, validator } = network;
    const by = peers.router.address;
    const commands = [
      [miner, commandSubject('miner', peers.miner.address, 'job', by)],
      [miner, commandSubject('miner', peers.miner.address, 'cancel', by)],
      [miner, commandSubject('miner', peers.miner.address, 'resend', by)],
      [router, commandSubject('router', peers.router.address, 'submit', by)],
      [router, commandSubject('router', peers.router.address, 'cancel', by)],
      [validator, commandSubject('validator', peers.validator.address, 'validate', by)],
    ] as const;
    for (const [node, subject] of commands) {
      node.bus.subscribe(subject, ({ data, respond }) => respond(bytes(`did ${text(data)}`)));
      await node.link.connection.flush();
      expect(text(await router.bus.request(subject, bytes('it'), { timeoutMs: patienceMs }))).toBe('did it');
    }
  });

  test('who asks under its own name and wants the answer elsewhere gets none, and nobody is refused anything', async () => {
    const { router, miner, validator } = network;
    const subject = commandSubject('router', peers.router.address, 'claim', peers.miner.address);
    const perSender = { perS: 1_000, atOnce: 1_000 };
    let asked = 0;
    const served = router.bus.subscribe(
      commandSubject('router', peers.router.address, 'claim', '*'),
      ({ respond }) => {
        asked += 1;
        respond(bytes('an answer'));
      },
      { perSender },
    );
    await router.link.connection.flush();
    const before = router.events.length;
    const [strange, own] = [`${answersTo(peers.validator.address)}.x.y`, `${answersTo(peers.miner.address)}.for.ged`];
    const answers: string[] = [];
    for (const name of ['validator', 'miner'] as const)
      network[name].link.connection.subscribe(`${answersTo(peers[name].address)}.>`, {
        callback: (_, message) => void answers.push(message.subject),
      });
    await validator.link.connection.flush();
    for (const reply of ['_INBOX.nobody', strange, own.replace('_ANSWER.', '_ANSWER.x'), own])
      miner.link.connection.publish(subject, 'a question', { reply });
    await miner.link.connection.flush();
    await eventually('all questions', () => asked === 4, patienceMs);
    await eventually('its own answer', () => answers.length === 1, patienceMs);
    await router.link.connection.flush();
    await aMoment();
    expect(answers).toEqual([own]);
    expect(router.events.slice(before)).toEqual([]);
    await served.close();
  });

  test('a miner streams tokens to the router and to the client of the session', async () => {
    const { router, miner, client } = network;
    const heard = [router, client].map(({ bus }) => listen(bus, tokenSubject(session, '*', '*')));
    for (const { link } of [router, client]) await link.connection.flush();
    const subject = tokenSubject(session, task, peers.miner.address);
    for (const word of ['to', 'ken']) miner.bus.publish(subject, bytes(word));
    await eventually('both words', () => heard.every((words) => words.length === 2), patienceMs);
    for (const words of heard) expect(words).toEqual([`${subject}=to`, `${subject}=ken`]);
  });

  test('every node beats, and router and observer hear it', async () => {
    const { router, observer } = network;
    const heard = [router, observer].map(({ bus }) => listen(bus, heartbeatSubject('*', '*')));
    for (const { link } of [router, observer]) await link.connection.flush();
    const sent: string[] = [];
    for (const name of ['router', 'miner', 'rival', 'validator', 'oracle'] as const) {
      const { role, address } = peers[name];
      network[name].bus.publish(heartbeatSubject(role, address), bytes('up'));
      sent.push(`${heartbeatSubject(role, address)}=up`);
    }
    await eventually('all', () => heard.every((beats) => beats.length === sent.length), patienceMs);
    // Beats of several senders may come to each listener in an order of its own.
    for (const beats of heard) expect(beats.toSorted()).toEqual(sent.toSorted());
  });

  test('a router keeps sessions in the log, and an observer follows and reads it', async () => {
    const stores = await Promise.all(
      (['router', 'observer'] as const).map((name) => {
        const { connection, inboxPrefix } = network[name].link;
        return openNatsEventStore({ connection, inboxPrefix });
      }),
    );
    const [written, observed] = stores;
    const followed: string[] = [];
    const subscription = observed!.subscribe(
      1,
      ({ commit }) => void followed.push(`${commit.stream}@${commit.version}`),
    );
    expect(await written!.append(commitChain(sessionStream, 2)[1]!)).toMatchObject({ outcome: 'stored' });
    await eventually('the commit', () => followed.includes(`${sessionStream}@2`), patienceMs);
    const read: number[] = [];
    for await (const { commit } of observed!.read(sessionStream)) read.push(commit.version);
    expect(read).toEqual([1, 2]);
    const heads: string[] = [];
    for await (const head of observed!.heads()) heads.push(head.stream);
    expect(heads).toEqual([streamOf('miner'), streamOf('rival'), sessionStream]);
    await subscription.close();
    for (const store of stores) await store.close();
  });

  test.each([
    ...(['miner', 'validator', 'oracle', 'client', 'router'] as const).map((name) => [name, streamOf(name)] as const),
    ...(['miner', 'validator', 'oracle'] as const).map(
      (name) => [name, streamId('network', peers[name].address)] as const,
    ),
  ])('the %s appends to its stream %s, finds its end, and reads it from the start', async (name, stream) => {
    const { connection } = network[name].link;
    const subject = eventSubject(stream);
    const newest = async (): Promise<Msg> =>
      connection.request(`$JS.nodes.API.DIRECT.GET.${names.log}.${subject}`, '', { timeout: patienceMs });
    const before = Number((await newest()).headers?.get('Nats-Sequence') ?? 0);
    const compared = { lastSubjectSequence: before };
    const { seq } = await streamsOf(name).publish(subject, `by the ${name}`, { expect: compared });
    await expect(streamsOf(name).publish(subject, 'late', { expect: compared })).rejects.toThrow('wrong last sequence');
    expect((await newest()).string()).toBe(`by the ${name}`);
    const manager = await streamsManager(connection, patienceMs);
    const info = await manager.consumers.add(names.log, {
      name: ownConsumerName(peers[name].address),
      filter_subject: subject,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
    });
    const consumer = streamsOf(name).consumers.getConsumerFromInfo(info);
    const read: number[] = [];
    for await (const message of await consumer.fetch({ max_messages: info.num_pending, expires: 5_000 })) {
      read.push(message.seq);
    }
    expect(read).toEqual(before === 0 ? [seq] : [before, seq]);
    // It may have one consumer, which the next reading of either stream makes anew.
    await manager.consumers.delete(names.log, info.name);
  });

  test('a router enqueues a job, and a miner of the model takes and acknowledges it', async () => {
    await streamsOf('router').publish(jobSubject(model), 'a job');
    const consumer = await streamsOf('miner').consumers.get(names.jobs, jobConsumerName(model));
    const job = await consumer.next({ expires: 5_000 });
    expect(job?.string()).toBe('a job');
    expect(await job?.ackAck()).toBe(true);
  });

  test.each([
    { name: 'miner', key: `miner.${peers.miner.address}` },
    { name: 'oracle', key: `oracle.${peers.oracle.address}` },
    { name: 'router', key: 'session.31337-cccccccc-7' },
    { name: 'router', key: `router.${peers.router.address}` },
  ] as const)('a $name keeps $key in the buckets', async ({ name, key }) => {
    for (const bucket of ['snap', 'done'] as const) {
      const kv = await bucketOf(name, bucket);
      const revision = await kv.swap(key, 'mine', 0);
      expect(revision).toBeGreaterThan(0);
      expect(await kv.swap(key, 'still mine', revision!)).toBeGreaterThan(revision!);
      expect(text((await kv.get(key)).value!)).toBe('still mine');
    }
  });

  test('a validator asks a validator to sign an idle round', async () => {
    const { validator } = network;
    const { address } = peers.validator;
    const subject = commandSubject('validator', address, 'sign-round', address);
    validator.bus.subscribe(subject, ({ respond }) => respond(bytes('signed')));
    await validator.link.connection.flush();
    expect(text(await validator.bus.request(subject, bytes('it'), { timeoutMs: patienceMs }))).toBe('signed');
  });

  test.each(['miner', 'validator', 'oracle'] as const)('a %s keeps what is of its idle rounds', async (name) => {
    for (const bucket of ['snap', 'done'] as const) {
      const kv = await bucketOf(name, bucket);
      expect(await kv.swap(`network.${peers[name].address}`, 'mine', 0)).toBeGreaterThan(0);
    }
  });

  test('a router and a miner open the queues of jobs, and what one offers the other takes', async () => {
    const { router, miner } = network;
    const open = ({ link: { connection } }: (typeof network)[PeerName]): Promise<JobQueue> =>
      openNatsJobQueue({ connection, clock: systemClock });
    const [offers, work] = [await open(router), await open(miner)];
    const seen: string[] = [];
    const working = work.work(model, { concurrency: 1 }, async (job) => {
      seen.push(job.id);
      await job.ack();
    });
    await offers.publish(model, 'place', bytes('an offer'));
    await eventually('the offer', () => seen.length === 1, patienceMs);
    expect(seen).toEqual(['place']);
    await working.close();
    await Promise.all([offers.close(), work.close()]);
  });

  test('a miner claims a place at a router, and is answered', async () => {
    const { router, miner } = network;
    const subject = commandSubject('router', peers.router.address, 'claim', peers.miner.address);
    router.bus.subscribe(subject, (message) => message.respond(bytes('yes')));
    await router.link.connection.flush();
    expect(text(await miner.bus.request(subject, bytes('mine'), { timeoutMs: patienceMs }))).toBe('yes');
  });

  test.each([0, 1, limits.sessionRoutersMax - 1])(
    'a router keeps the lease of a group that has %i before it',
    async (at) => {
      const others = Array.from({ length: limits.sessionRoutersMax - 1 }, (_, n) =>
        toAddress(`0x${n < at ? '0' : 'f'}${n.toString(16)}${'0'.repeat(38)}`),
      );
      const key = sessionsLease(15, [...others, peers.router.address]);
      expect(routersOfLease(key)[at]).toBe(peers.router.address);
      const kv = await bucketOf('router', 'lease');
      const revision = await kv.swap(key, 'mine', 0);
      expect(await kv.swap(key, 'still mine', revision!)).toBeGreaterThan(revision!);
      expect(text((await kv.get(key)).value!)).toBe('still mine');
      expect(await kv.remove(key, (await kv.get(key)).revision)).toBe(true);
    },
  );

  test('a router takes the lease of the anchorer and sees all leases, and what nodes say of themselves', async () => {
    await (await bucketOf('router', 'lease')).put(anchorLease, 'mine');
    const key = `miner.${peers.miner.address}`;
    await (await bucketOf('miner', 'node')).put(key, 'here');
    const seen = await Promise.all(
      (['lease', 'node'] as const).map(async (bucket) => {
        const entries = await (await bucketOf('router', bucket)).entries();
        return entries.map((entry) => entry.key);
      }),
    );
    expect(seen).toEqual([expect.arrayContaining(['anchor']), [key]]);
  });
});

test.each(Object.keys(peers) as PeerName[])('all of this was allowed to the %s, and nothing went wrong', (name) => {
  const { errors, events } = network[name];
  expect({ errors, events }).toEqual({ errors: [], events: [] });
});
