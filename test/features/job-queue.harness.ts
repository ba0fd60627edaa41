import { connect } from 'nats';
import { createLocalJobQueue } from '../../src/adapters/local/local-job-queue.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { openNatsJobQueue } from '../../src/adapters/nats/jobs/job-queue.ts';
import type { JobQueue } from '../../src/ports/job-queue.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import type { JobQueueHarness } from './job-queue.features.ts';

type Mutate = (queue: JobQueue) => JobQueue;

const bounds = { jobsMax: 10, deliveriesMax: 3 };

/** The embedded queue on a clock that the test moves. */
export async function localJobQueue(mutate: Mutate = (queue) => queue): Promise<JobQueueHarness> {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const ackWaitMs = 1_000;
  const queue = createLocalJobQueue({ clock, ackWaitMs, ...bounds, onError: () => undefined });
  return {
    queue: mutate(queue),
    ackWaitMs,
    ...bounds,
    patienceMs: 4_000,
    pass: (ms) => clock.advance(ms),
    close: () => queue.close(),
  };
}

let queues = 0;

/** The queue on a server, whose time is the time of the world. */
export async function natsJobQueue(url: string, mutate: Mutate = (queue) => queue): Promise<JobQueueHarness> {
  queues += 1;
  const connection = await connect({ servers: url });
  const ackWaitMs = 600;
  const root = `jobs${process.pid}-${queues}.v1`;
  const queue = await openNatsJobQueue({
    connection,
    clock: systemClock,
    root,
    ackWaitMs,
    ...bounds,
    onError: () => undefined,
  });
  return {
    queue: mutate(queue),
    ackWaitMs,
    ...bounds,
    patienceMs: 10_000,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    close: async () => {
      await queue.close();
      await connection.close();
    },
  };
}
