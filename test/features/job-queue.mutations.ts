import type { JobDelivery, JobQueue } from '../../src/ports/job-queue.ts';
import type { Mutation } from './feature.ts';

/** A queue that behaves as another one but for what is overridden. */
function over(queue: JobQueue, overrides: Partial<JobQueue>): JobQueue {
  return {
    publish: (model, id, body) => queue.publish(model, id, body),
    work: (model, options, handler) => queue.work(model, options, handler),
    isUntouched: (model, id) => queue.isUntouched(model, id),
    size: (model) => queue.size(model),
    dead: (model) => queue.dead(model),
    close: () => queue.close(),
    ...overrides,
  };
}

/** Changes what handlers get. */
function delivering(change: (job: JobDelivery) => JobDelivery) {
  return (queue: JobQueue): JobQueue =>
    over(queue, { work: (model, options, handler) => queue.work(model, options, (job) => handler(change(job))) });
}

const publishMutations: readonly Mutation<JobQueue>[] = [
  {
    name: 'takes duplicates for new jobs, as far as it says',
    caughtBy: ['knows a job that is published again, while it waits and when it is done'],
    mutate: (queue) =>
      over(queue, {
        publish: async (model, id, body) => {
          await queue.publish(model, id, body);
          return 'queued';
        },
      }),
  },
  {
    name: 'makes a new job of every duplicate',
    caughtBy: ['knows a job that is published again, while it waits and when it is done'],
    mutate: (queue) => {
      let count = 0;
      return over(queue, { publish: (model, id, body) => queue.publish(model, `${id}-${count++}`, body) });
    },
  },
  {
    name: 'says that it took what it refused',
    caughtBy: [
      'takes as many jobs as there is room for, those in hand included, and each model has its own',
      'takes a job at its bound and refuses a larger one',
    ],
    mutate: (queue) =>
      over(queue, { publish: (model, id, body) => queue.publish(model, id, body).catch(() => 'queued') }),
  },
  {
    name: 'keeps all models in one queue',
    caughtBy: [
      'hands a job to a worker of its model, as it was published',
      'takes as many jobs as there is room for, those in hand included, and each model has its own',
    ],
    mutate: (queue) =>
      over(queue, {
        publish: (_model, id, body) => queue.publish('one', id, body),
        work: (_model, options, handler) => queue.work('one', options, handler),
      }),
  },
  {
    name: 'does not count what is in hand',
    caughtBy: ['takes as many jobs as there is room for, those in hand included, and each model has its own'],
    mutate: (queue) => over(queue, { size: async (model) => Math.max((await queue.size(model)) - 1, 0) }),
  },
];

const touchMutations: readonly Mutation<JobQueue>[] = [true, false].map((answer) => ({
  name: `takes every job for ${answer ? 'untouched' : 'handed out'}`,
  caughtBy: ['tells which jobs were never handed out'],
  mutate: (queue) => over(queue, { isUntouched: async () => answer }),
}));

const workMutations: readonly Mutation<JobQueue>[] = [
  {
    name: 'gives a worker more than it has hands for',
    caughtBy: ['hands each job to one of many workers, and no more to one than it has hands'],
    mutate: (queue) =>
      over(queue, {
        work: (model, { concurrency, ...options }, handler) =>
          queue.work(model, { concurrency: concurrency + 1, ...options }, handler),
      }),
  },
  {
    name: 'does not ask a worker whether it has a place',
    caughtBy: ['leaves jobs to others while a worker has no place for one'],
    mutate: (queue) =>
      over(queue, { work: (model, { concurrency }, handler) => queue.work(model, { concurrency }, handler) }),
  },
  {
    name: 'loses a job that is refused',
    caughtBy: [
      'hands a job out again that was refused, at once or after its delay, before those that came later',
      'puts a job aside that was handed out as often as may be',
    ],
    mutate: delivering((job) => ({ ...job, nak: () => job.ack() })),
  },
  {
    name: 'knows no delay',
    caughtBy: ['hands a job out again that was refused, at once or after its delay, before those that came later'],
    mutate: delivering((job) => ({ ...job, nak: () => job.nak() })),
  },
  {
    name: 'does not hear that a worker is still at it',
    caughtBy: ['leaves a job with a worker that says it is still at it'],
    mutate: delivering((job) => ({ ...job, working: () => Promise.resolve() })),
  },
  {
    name: 'does not count the deliveries',
    caughtBy: [
      'hands a job out again whose worker says nothing for too long, or throws',
      'puts a job aside that was handed out as often as may be',
    ],
    mutate: delivering((job) => ({ ...job, attempt: 1 })),
  },
  {
    name: 'takes a job for done whose handler returns',
    caughtBy: [
      'hands a job out again whose worker says nothing for too long, or throws',
      'leaves a job with a worker that says it is still at it',
    ],
    mutate: (queue) =>
      over(queue, {
        work: (model, options, handler) =>
          queue.work(model, options, async (job) => {
            await handler(job);
            await job.ack();
          }),
      }),
  },
  {
    name: 'takes a job for done whose handler throws',
    caughtBy: ['hands a job out again whose worker says nothing for too long, or throws'],
    mutate: (queue) =>
      over(queue, {
        work: (model, options, handler) =>
          queue.work(model, options, async (job) => {
            try {
              await handler(job);
            } catch {
              await job.ack();
            }
          }),
      }),
  },
  {
    name: 'hears no late acknowledgement',
    caughtBy: ['counts the first word about a job, and a late acknowledgement too'],
    mutate: (queue) => {
      const newest = new Map<string, number>();
      return delivering((job) => {
        newest.set(job.id, job.attempt);
        return { ...job, ack: async () => (newest.get(job.id) === job.attempt ? job.ack() : undefined) };
      })(queue);
    },
  },
  {
    name: 'does not wait for a handler at close',
    caughtBy: ['calls no handler once a worker is closed, and waits for one that runs'],
    mutate: (queue) =>
      over(queue, {
        work: (model, options, handler) => {
          const work = queue.work(model, options, handler);
          return { close: async () => void work.close() };
        },
      }),
  },
];

const deadMutations: readonly Mutation<JobQueue>[] = [
  {
    name: 'forgets its dead',
    caughtBy: ['puts a job aside that nobody can do, with the reason and how often it was tried'],
    mutate: delivering((job) => ({ ...job, term: () => job.ack() })),
  },
  {
    name: 'forgets the reason',
    caughtBy: ['puts a job aside that nobody can do, with the reason and how often it was tried'],
    mutate: delivering((job) => ({ ...job, term: () => job.term('') })),
  },
  {
    name: 'goes on after it was closed',
    caughtBy: ['takes and gives nothing once it is closed'],
    mutate: (queue) => over(queue, { close: () => Promise.resolve() }),
  },
];

/** Every mutation the features are proven on. */
export const jobQueueMutations: readonly Mutation<JobQueue>[] = [
  ...publishMutations,
  ...touchMutations,
  ...workMutations,
  ...deadMutations,
];
