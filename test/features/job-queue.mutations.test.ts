import { testMutations } from './feature.ts';
import { jobQueueFeatureList } from './job-queue.features.ts';
import { localJobQueue } from './job-queue.harness.ts';
import { jobQueueMutations } from './job-queue.mutations.ts';

// What a broken queue never does is not waited for as long as what a good one may be slow with.
testMutations('job queue', jobQueueFeatureList, jobQueueMutations, async (mutate) => ({
  ...(await localJobQueue(mutate)),
  patienceMs: 300,
}));
