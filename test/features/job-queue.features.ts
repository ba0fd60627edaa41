import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { DeadJob, JobDelivery, JobQueue } from '../../src/ports/job-queue.ts';
import { type Disposable, eventually, type Feature, gate, testFeatures } from './feature.ts';

/** A fresh queue with small bounds, and how time passes for it. */
export interface JobQueueHarness extends Disposable {
  readonly queue: JobQueue;
  readonly ackWaitMs: number;
  readonly jobsMax: number;
  readonly deliveriesMax: number;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
  /** How long a feature waits for what must come, in milliseconds. */
  readonly patienceMs: number;
}

const model = 'HuggingFaceTB/SmolLM2-1.7B-Instruct';
const other = 'pebble.chat v1';

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function text(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

async function publishAll(queue: JobQueue, ids: readonly string[], of = model): Promise<void> {
  for (const id of ids) expect(await queue.publish(of, id, bytes(`body of ${id}`))).toBe('queued');
}

async function deadOf(queue: JobQueue, of = model): Promise<DeadJob[]> {
  const dead: DeadJob[] = [];
  for await (const job of queue.dead(of)) dead.push(job);
  return dead;
}

/** Lets time pass in small steps until something holds. */
async function passUntil(
  { pass, patienceMs }: JobQueueHarness,
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let passedMs = 0; !(await condition()); passedMs += 20) {
    if (passedMs > patienceMs) throw new Error(`let ${patienceMs} ms pass in vain: ${what}`);
    await pass(20);
  }
}

const publishing: readonly Feature<JobQueueHarness>[] = [
  {
    name: 'hands a job to a worker of its model, as it was published',
    check: async ({ queue, patienceMs }) => {
      await publishAll(queue, ['a']);
      await publishAll(queue, ['b'], other);
      const seen: JobDelivery[] = [];
      const work = [model, other].map((of) =>
        queue.work(of, { concurrency: 1 }, async (job) => {
          seen.push(job);
          await job.ack();
        }),
      );
      await eventually('both jobs', () => seen.length === 2, patienceMs);
      const byId = seen.toSorted((x, y) => (x.id < y.id ? -1 : 1));
      expect(byId.map(({ id, model: of, body, attempt }) => [id, of, text(body), attempt])).toEqual([
        ['a', model, 'body of a', 1],
        ['b', other, 'body of b', 1],
      ]);
      await Promise.all(work.map((one) => one.close()));
    },
  },
  {
    name: 'hands jobs out in the order in which they came, before and after there is a worker',
    check: async ({ queue, patienceMs }) => {
      const ids = Array.from({ length: 8 }, (_, index) => `job-${index}`);
      await publishAll(queue, ids.slice(0, 4));
      const seen: string[] = [];
      const work = queue.work(model, { concurrency: 1 }, async (job) => {
        seen.push(job.id);
        await job.ack();
      });
      await publishAll(queue, ids.slice(4));
      await eventually('all jobs', () => seen.length === ids.length, patienceMs);
      expect(seen).toEqual(ids);
      await work.close();
      expect(await queue.size(model)).toBe(0);
    },
  },
  {
    name: 'knows a job that is published again, while it waits and when it is done',
    check: async ({ queue, patienceMs }) => {
      await publishAll(queue, ['a']);
      expect(await queue.publish(model, 'a', bytes('again'))).toBe('duplicate');
      expect(await queue.publish(other, 'a', bytes('of another model'))).toBe('queued');
      const seen: string[] = [];
      const work = queue.work(model, { concurrency: 4 }, async (job) => {
        await job.ack();
        seen.push(text(job.body));
      });
      await eventually('the job', () => seen.length === 1, patienceMs);
      expect(await queue.publish(model, 'a', bytes('once more'))).toBe('duplicate');
      await publishAll(queue, ['b']);
      await eventually('the next job', () => seen.length >= 2, patienceMs);
      expect(seen).toEqual(['body of a', 'body of b']);
      await work.close();
    },
  },
  {
    name: 'takes as many jobs as there is room for, those in hand included, and each model has its own',
    check: async ({ queue, jobsMax, patienceMs }) => {
      const ids = Array.from({ length: jobsMax }, (_, index) => `job-${index}`);
      await publishAll(queue, ids.slice(1));
      const held: JobDelivery[] = [];
      const work = queue.work(model, { concurrency: 1 }, (job) => void held.push(job));
      await eventually('a job in hand', () => held.length === 1, patienceMs);
      await publishAll(queue, ids.slice(0, 1));
      expect(await queue.size(model)).toBe(jobsMax);
      await expect(queue.publish(model, 'more', bytes(''))).rejects.toMatchObject({
        code: 'queue_full',
        class: 'busy',
      });
      expect(await queue.publish(model, 'job-1', bytes(''))).toBe('duplicate');
      await publishAll(queue, ['fits'], other);
      await held[0]?.ack();
      await publishAll(queue, ['more']);
      await work.close();
    },
  },
  {
    name: 'takes a job at its bound and refuses a larger one',
    check: async ({ queue }) => {
      expect(await queue.publish(model, 'largest', new Uint8Array(limits.jobBytesMax))).toBe('queued');
      await expect(queue.publish(model, 'larger', new Uint8Array(limits.jobBytesMax + 1))).rejects.toMatchObject({
        code: 'job_too_large',
      });
      expect(await queue.size(model)).toBe(1);
    },
  },
];

const working: readonly Feature<JobQueueHarness>[] = [
  {
    name: 'hands each job to one of many workers, and no more to one than it has hands',
    check: async ({ queue, patienceMs }) => {
      const ids = Array.from({ length: 8 }, (_, index) => `job-${index}`);
      const held: JobDelivery[][] = [[], []];
      const works = held.map((hand) => queue.work(model, { concurrency: 2 }, (job) => void hand.push(job)));
      await publishAll(queue, ids);
      await eventually('full hands', () => held.flat().length === 4, patienceMs);
      expect(held.map(({ length }) => length)).toEqual([2, 2]);
      const done: string[] = [];
      while (done.length < ids.length) {
        await eventually('a job in hand', () => held.flat().length > 0, patienceMs);
        for (const job of held.flatMap((hand) => hand.splice(0))) {
          await job.ack();
          done.push(job.id);
        }
      }
      expect(done.toSorted()).toEqual(ids);
      await Promise.all(works.map((work) => work.close()));
    },
  },
  {
    name: 'leaves jobs to others while a worker has no place for one',
    check: async ({ queue, patienceMs }) => {
      const place = gate();
      const seen: string[] = [];
      const take =
        (name: string) =>
        async (job: JobDelivery): Promise<void> => {
          seen.push(`${name} ${job.id}`);
          await job.ack();
        };
      const ready = async (): Promise<void> => {
        if (seen.length > 0) await place.opened;
      };
      const busy = queue.work(model, { concurrency: 1, ready }, take('busy'));
      await publishAll(queue, ['a']);
      await eventually('the first job', () => seen.length === 1, patienceMs);
      const free = queue.work(model, { concurrency: 1 }, take('free'));
      await publishAll(queue, ['b', 'c']);
      await eventually('the other jobs', () => seen.length === 3, patienceMs);
      await free.close();
      await publishAll(queue, ['d']);
      place.open();
      await eventually('the last job', () => seen.length === 4, patienceMs);
      expect(seen).toEqual(['busy a', 'free b', 'free c', 'busy d']);
      await busy.close();
    },
  },
  {
    name: 'hands jobs to all workers in turn, not always to the first that came',
    check: async ({ queue, patienceMs }) => {
      const seen: string[] = [];
      const works = ['one', 'other'].map((name) =>
        queue.work(model, { concurrency: 1 }, async (job) => {
          seen.push(name);
          await job.ack();
        }),
      );
      for (let job = 0; job < 8; job += 1) {
        await publishAll(queue, [`job-${job}`]);
        await eventually('the job', () => seen.length === job + 1, patienceMs);
      }
      expect(new Set(seen)).toEqual(new Set(['one', 'other']));
      await Promise.all(works.map((work) => work.close()));
    },
  },
  {
    name: 'hands a job out again that was refused, at once or after its delay, before those that came later',
    check: async (harness) => {
      const { queue, ackWaitMs } = harness;
      await publishAll(queue, ['a', 'b']);
      const seen: string[] = [];
      const work = queue.work(model, { concurrency: 1 }, async (job) => {
        seen.push(`${job.id} ${job.attempt}`);
        if (job.id === 'a' && job.attempt === 1) await job.nak();
        else if (job.id === 'a' && job.attempt === 2) await job.nak(ackWaitMs / 2);
        else await job.ack();
      });
      await passUntil(harness, 'all deliveries', () => seen.length >= 4);
      expect(seen).toEqual(['a 1', 'a 2', 'b 1', 'a 3']);
      await work.close();
    },
  },
  {
    name: 'hands a job out again whose worker says nothing for too long, or throws',
    check: async (harness) => {
      const { queue } = harness;
      await publishAll(queue, ['silent', 'failing']);
      const seen: string[] = [];
      const work = queue.work(model, { concurrency: 2 }, async (job) => {
        seen.push(`${job.id} ${job.attempt}`);
        if (job.attempt > 1) await job.ack();
        else if (job.id === 'failing') throw new Error('the worker of the test fails');
      });
      await passUntil(harness, 'all deliveries', () => seen.length >= 4);
      expect(seen.toSorted()).toEqual(['failing 1', 'failing 2', 'silent 1', 'silent 2']);
      await work.close();
      expect(await queue.size(model)).toBe(0);
    },
  },
  {
    name: 'leaves a job with a worker that says it is still at it',
    check: async (harness) => {
      const { queue, ackWaitMs, pass, patienceMs } = harness;
      await publishAll(queue, ['long']);
      const held: JobDelivery[] = [];
      const work = queue.work(model, { concurrency: 2 }, (job) => void held.push(job));
      await eventually('the job', () => held.length === 1, patienceMs);
      for (let round = 0; round < 6; round++) {
        await pass(ackWaitMs / 3);
        await held[0]?.working();
      }
      expect(held.map(({ attempt }) => attempt)).toEqual([1]);
      expect(await queue.size(model)).toBe(1);
      await held[0]?.ack();
      await pass(2 * ackWaitMs);
      expect(held).toHaveLength(1);
      expect(await queue.size(model)).toBe(0);
      await work.close();
    },
  },
  {
    name: 'counts the first word about a job, and a late acknowledgement too',
    check: async (harness) => {
      const { queue } = harness;
      await publishAll(queue, ['a']);
      const held: JobDelivery[] = [];
      const work = queue.work(model, { concurrency: 1 }, (job) => void held.push(job));
      await passUntil(harness, 'the second delivery', () => held.length === 2);
      await held[0]?.ack();
      await passUntil(harness, 'an empty queue', async () => (await queue.size(model)) === 0);
      await held[0]?.term('too late');
      await held[1]?.ack();
      await held[1]?.nak();
      expect(await queue.size(model)).toBe(0);
      expect(await deadOf(queue)).toEqual([]);
      await work.close();
    },
  },
  {
    name: 'calls no handler once a worker is closed, and waits for one that runs',
    check: async ({ queue, patienceMs }) => {
      await publishAll(queue, ['a', 'b']);
      const finish = gate();
      let [running, calls] = [false, 0];
      const work = queue.work(model, { concurrency: 1 }, async (job) => {
        calls += 1;
        running = true;
        await finish.opened;
        await job.ack();
        running = false;
      });
      await eventually('a running handler', () => running, patienceMs);
      const closing = work.close();
      finish.open();
      await closing;
      expect({ running, calls }).toEqual({ running: false, calls: 1 });
      expect(await queue.size(model)).toBe(1);
    },
  },
];

const touching: readonly Feature<JobQueueHarness>[] = [
  {
    name: 'tells which jobs were never handed out',
    check: async (harness) => {
      const { queue, pass } = harness;
      const untouched = (...ids: string[]): Promise<boolean[]> =>
        pass(limits.jobPlacesMs + 50).then(() => Promise.all(ids.map((id) => queue.isUntouched(model, id))));
      await publishAll(queue, ['a', 'b', 'c']);
      await publishAll(queue, ['a'], other);
      expect(await untouched('a', 'b', 'c', 'none')).toEqual([true, true, true, false]);
      const given: JobDelivery[] = [];
      const work = queue.work(model, { concurrency: 1 }, (job) => void given.push(job));
      await passUntil(harness, 'a job in hand', () => given.length === 1);
      await work.close();
      await given[0]!.nak(10);
      expect(await untouched('a', 'b', 'c')).toEqual([false, true, true]);
      expect(await queue.isUntouched(other, 'a')).toBe(true);
    },
  },
];

const dying: readonly Feature<JobQueueHarness>[] = [
  {
    name: 'puts a job aside that nobody can do, with the reason and how often it was tried',
    check: async (harness) => {
      const { queue } = harness;
      await publishAll(queue, ['bad', 'good']);
      const work = queue.work(model, { concurrency: 1 }, (job) =>
        job.id === 'bad' ? job.term('the prompt is longer than the context') : job.ack(),
      );
      await passUntil(harness, 'an empty queue', async () => (await queue.size(model)) === 0);
      const [dead, ...rest] = await deadOf(queue);
      expect(dead).toMatchObject({ id: 'bad', model, attempts: 1, reason: 'the prompt is longer than the context' });
      expect(text(dead!.body)).toBe('body of bad');
      expect(dead!.at).toBeGreaterThan(1_600_000_000_000);
      expect(rest).toEqual([]);
      expect(await deadOf(queue, other)).toEqual([]);
      await work.close();
    },
  },
  {
    name: 'puts a job aside that was handed out as often as may be',
    check: async (harness) => {
      const { queue, deliveriesMax } = harness;
      await publishAll(queue, ['hopeless']);
      const attempts: number[] = [];
      const work = queue.work(model, { concurrency: 1 }, async (job) => {
        attempts.push(job.attempt);
        await job.nak();
      });
      await passUntil(harness, 'a dead job', async () => (await deadOf(queue)).length === 1);
      expect(attempts).toEqual(Array.from({ length: deliveriesMax }, (_, index) => index + 1));
      expect(await deadOf(queue)).toMatchObject([{ id: 'hopeless', attempts: deliveriesMax }]);
      await passUntil(harness, 'an empty queue', async () => (await queue.size(model)) === 0);
      await work.close();
    },
  },
  {
    name: 'keeps the dead in order, and cuts a long reason off',
    check: async (harness) => {
      const { queue } = harness;
      const ids = ['a', 'b', 'c'];
      await publishAll(queue, ids);
      const reason = 'x'.repeat(limits.deadReasonCharsMax + 1);
      const work = queue.work(model, { concurrency: 1 }, (job) => job.term(reason));
      await passUntil(harness, 'all dead', async () => (await deadOf(queue)).length === ids.length);
      const dead = await deadOf(queue);
      expect(dead.map(({ id }) => id)).toEqual(ids);
      expect(dead[0]?.reason).toBe(reason.slice(1));
      await work.close();
    },
  },
  {
    name: 'takes and gives nothing once it is closed',
    check: async ({ queue }) => {
      await publishAll(queue, ['a']);
      await queue.close();
      await expect(queue.publish(model, 'b', bytes(''))).rejects.toMatchObject({ code: 'queue_closed' });
      expect(() => queue.work(model, { concurrency: 1 }, () => undefined)).toThrow(/closed/);
    },
  },
];

/** What a queue of jobs promises. */
export const jobQueueFeatureList: readonly Feature<JobQueueHarness>[] = [
  ...publishing,
  ...working,
  ...touching,
  ...dying,
];

/** The contract of the JobQueue port. */
export function jobQueueFeatures(name: string, make: () => Promise<JobQueueHarness>): void {
  testFeatures('job queue', name, jobQueueFeatureList, make);
}
