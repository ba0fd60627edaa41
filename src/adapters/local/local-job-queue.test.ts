import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { createLocalJobQueue } from './local-job-queue.ts';

const body = new Uint8Array(1);

test('forgets the oldest of too many dead jobs', async () => {
  const queue = createLocalJobQueue({ jobsMax: limits.deadJobsKept + 1 });
  for (let index = 0; index <= limits.deadJobsKept; index++) await queue.publish('m', `job-${index}`, body);
  const work = queue.work('m', { concurrency: 1 }, (job) => job.term('no'));
  while ((await queue.size('m')) > 0) await new Promise(setImmediate);
  await work.close();
  const dead: string[] = [];
  for await (const { id } of queue.dead('m')) dead.push(id);
  expect(dead).toHaveLength(limits.deadJobsKept);
  expect([dead.at(0), dead.at(-1)]).toEqual(['job-1', `job-${limits.deadJobsKept}`]);
});

test('takes a job again once its id is forgotten', async () => {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const queue = createLocalJobQueue({ clock });
  await queue.publish('m', 'a', body);
  await clock.advance(limits.jobDuplicateWindowMs - 1);
  expect(await queue.publish('m', 'a', body)).toBe('duplicate');
  await clock.advance(1);
  expect(await queue.publish('m', 'a', body)).toBe('queued');
  expect(await queue.size('m')).toBe(2);
});
