import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsJobQueue } from '../../src/adapters/nats/jobs/job-queue.ts';
import { jobConsumerName } from '../../src/adapters/nats/jobs/job-streams.ts';
import type { JobDelivery, JobQueue } from '../../src/ports/job-queue.ts';
import { aMoment, eventually } from './feature.ts';
import { model, names, natsNetwork, patienceMs, type PeerName } from './nats-network.ts';

// What docs/operations.md says a miner can do with the offers of others, since the permission to settle one's own offers
// cannot be told from that to settle others'.
const network = natsNetwork();
const queues: JobQueue[] = [];
let router: JobQueue;
const held: JobDelivery[] = [];

async function open(name: PeerName): Promise<JobQueue> {
  const { connection } = network[name].link;
  const makesConsumers = name === 'router';
  const queue = await openNatsJobQueue({ connection, clock: systemClock, makesConsumers, onError: () => {} });
  queues.push(queue);
  return queue;
}

/** Settles the first offers of the queue as if they were the attacker's own. */
async function settleAll(what: '+TERM' | '+ACK' | '-NAK', offers = 4): Promise<void> {
  const { connection } = network.miner.link;
  for (let place = 1; place <= offers; place += 1) {
    for (let handed = 1; handed <= offers; handed += 1)
      connection.publish(`$JS.ACK.${names.jobs}.${jobConsumerName(model)}.1.${place}.${handed}.0.0`, what);
  }
  await connection.flush();
  await aMoment();
}

beforeAll(async () => {
  router = await open('router');
  const victim = await open('rival');
  await router.publish(model, 'in-hand', new Uint8Array([1]));
  victim.work(model, { concurrency: 1 }, (job) => void held.push(job));
  await eventually('the offer', () => held.length === 1, patienceMs);
  await router.publish(model, 'waiting', new Uint8Array([2]));
});
afterAll(() => Promise.all(queues.map((queue) => queue.close())));

test('a miner can end the offer a rival has in its hand, which the rival then claims all the same', async () => {
  expect(await router.size(model)).toBe(2);
  await settleAll('+TERM');
  expect(network.miner.events).toEqual([]);
  expect(await router.size(model)).toBe(1);
  // The claim goes to the router; to settle an offer that is gone is no error.
  expect(held[0]?.id).toBe('in-hand');
  await held[0]?.ack();
  expect(network.rival.errors).toEqual([]);
});

test('it cannot end what nobody has taken: that is handed out, once', async () => {
  await expect.poll(() => held.map(({ id }) => id), { timeout: patienceMs }).toEqual(['in-hand', 'waiting']);
  expect(held[1]?.attempt).toBe(1);
});

test('what it has ended the router offers again, in the next round, under an id of its own', async () => {
  await settleAll('+ACK');
  expect(await router.size(model)).toBe(0);
  expect(await router.isUntouched(model, 'waiting')).toBe(false);
  expect(await router.publish(model, 'waiting:round-2', new Uint8Array([2]))).toBe('queued');
  await held[1]?.ack();
  await expect.poll(() => held.at(-1)?.id, { timeout: patienceMs }).toBe('waiting:round-2');
  await held.at(-1)?.ack();
});
