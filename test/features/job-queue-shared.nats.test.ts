import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsJobQueue } from '../../src/adapters/nats/jobs/job-queue.ts';
import { jobConsumerName } from '../../src/adapters/nats/jobs/job-streams.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { sha256 } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { jobSubject } from '../../src/messages/subjects.ts';
import type { DeadJob, JobQueue } from '../../src/ports/job-queue.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';

const nats = sharedNatsServer();
const model = 'HuggingFaceTB/SmolLM2-1.7B';
const patienceMs = 20_000;
let queues = 0;
let root: string;
const connections: NatsConnection[] = [];

beforeEach(() => {
  queues += 1;
  root = `shared-jobs${queues}.v1`;
});
afterEach(() => Promise.all(connections.splice(0).map((connection) => connection.close())));

/** Opens the queue as a process of its own would. */
async function join(ackWaitMs = 500): Promise<{ readonly queue: JobQueue; readonly connection: NatsConnection }> {
  const connection = await connect({
    servers: (await nats()).url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  connections.push(connection);
  const clock = systemClock;
  return { connection, queue: await openNatsJobQueue({ connection, clock, root, ackWaitMs, onError: () => {} }) };
}

function publish(queue: JobQueue, ids: readonly string[], of = model): Promise<unknown> {
  return Promise.all(ids.map((id) => queue.publish(of, id, new Uint8Array([1]))));
}

function jobIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `job-${index}`);
}

test('hands each job to one of the workers of several processes', async () => {
  const [router, ...miners] = await Promise.all([join(), join(), join()]);
  const done: string[] = [];
  const works = miners.map(({ queue }) =>
    queue.work(model, { concurrency: 4 }, async (job) => {
      done.push(job.id);
      await job.ack();
    }),
  );
  await publish(router.queue, jobIds(200));
  await eventually('all jobs', () => done.length >= 200, patienceMs);
  expect(done.toSorted()).toEqual(jobIds(200).toSorted());
  await Promise.all(works.map((work) => work.close()));
  expect(await router.queue.size(model)).toBe(0);
});

test('hands the jobs of a process that died to another one', async () => {
  const [router, dying, heir] = await Promise.all([join(), join(), join()]);
  const lost: string[] = [];
  dying.queue.work(model, { concurrency: 3 }, (job) => void lost.push(job.id));
  await publish(router.queue, jobIds(3));
  await eventually('jobs in hand', () => lost.length === 3, patienceMs);
  await dying.connection.close();
  const done: string[] = [];
  const work = heir.queue.work(model, { concurrency: 3 }, async (job) => {
    done.push(`${job.id} ${job.attempt}`);
    await job.ack();
  });
  await eventually('the jobs again', () => done.length === 3, patienceMs);
  expect(done.toSorted()).toEqual(jobIds(3).map((id) => `${id} 2`));
  await work.close();
});

test('keeps every job over the death of the server, and goes on when it is back', async () => {
  const [router, miner] = await Promise.all([join(), join()]);
  const done = new Set<string>();
  const work = miner.queue.work(model, { concurrency: 2 }, async (job) => {
    await job.ack();
    done.add(job.id);
  });
  await publish(router.queue, jobIds(40));
  await (await nats()).kill();
  const publishing = router.queue.publish(model, 'while-down', new Uint8Array([1]));
  await (await nats()).restart();
  expect(await publishing).toBe('queued');
  await eventually('all jobs', () => done.size === 41, patienceMs);
  await work.close();
  await eventually('an empty queue', () => done.has('while-down'), patienceMs);
  expect(await router.queue.size(model)).toBe(0);
}, 60_000);

test('puts aside what is too large for a job, cut, with its size and hash', async () => {
  const [router, miner] = await Promise.all([join(), join()]);
  await publish(router.queue, ['first']);
  const tooLarge = new Uint8Array(900_000).fill(7);
  const atBound = tooLarge.subarray(0, limits.jobBytesMax);
  for (const [id, body] of [
    ['i'.repeat(60_000), tooLarge],
    ['bound', atBound],
  ] as const) {
    const extra = headers();
    extra.set('Nats-Msg-Id', `x:${id}`);
    await router.connection.request(jobSubject(model, root), body, { headers: extra, timeout: patienceMs });
  }
  const seen: string[] = [];
  const work = miner.queue.work(model, { concurrency: 1 }, async (job) => {
    seen.push(job.id.slice(0, 5));
    await job.term('no offer');
  });
  await expect.poll(() => router.queue.size(model), { timeout: patienceMs }).toBe(0);
  await work.close();
  expect(seen).toEqual(['first', 'iiiii', 'bound']);
  const dead: DeadJob[] = [];
  for await (const job of router.queue.dead(model)) dead.push(job);
  expect(dead.map(({ id, cut, body }) => ({ id, cut, bytes: body.length }))).toEqual([
    { id: 'first', cut: undefined, bytes: 1 },
    {
      id: 'i'.repeat(limits.jobIdCharsMax),
      cut: { bytes: tooLarge.length, sha256: sha256(tooLarge) },
      bytes: limits.jobBytesMax,
    },
    { id: 'bound', cut: undefined, bytes: limits.jobBytesMax },
  ]);
});

test('shows the dead to every process, and names any model in its subjects and consumers', async () => {
  const [router, miner] = await Promise.all([join(), join()]);
  const models = [
    'a/b.c',
    'ünï cödé',
    '*',
    '>',
    'x'.repeat(limits.modelIdBytesMax),
    '/'.repeat(limits.modelIdBytesMax),
  ];
  for (const of of models) {
    await publish(router.queue, ['bad'], of);
    const work = miner.queue.work(of, { concurrency: 1 }, (job) => job.term(`no ${of}`));
    const dead: DeadJob[] = [];
    for (const until = performance.now() + patienceMs; dead.length === 0 && performance.now() < until;) {
      for await (const job of router.queue.dead(of)) dead.push(job);
    }
    expect(dead).toMatchObject([{ id: 'bad', model: of, reason: `no ${of}` }]);
    await work.close();
  }
  const manager = await jetstreamManager(router.connection);
  const consumers = await manager.consumers.list(natsNames(root).jobs).next();
  expect(consumers.map(({ name }) => name).toSorted()).toEqual(models.map(jobConsumerName).toSorted());
}, 60_000);

test('a queue or a consumer that is set up otherwise is refused', async () => {
  const [first, second] = [await join(), await join(600)];
  await publish(first.queue, ['a']);
  const differs = pouwError('nats_config_ignored', { why: textWith('ack_wait') });
  await expect(second.queue.publish(model, 'b', new Uint8Array([1]))).rejects.toEqual(differs);
  const { connection } = first;
  await expect(openNatsJobQueue({ connection, root, clock: systemClock, jobsMax: 7 })).rejects.toEqual(
    pouwError('nats_config_ignored', { why: textWith('max_msgs_per_subject') }),
  );
});
