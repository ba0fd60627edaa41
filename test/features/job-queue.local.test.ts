import { jobQueueFeatures } from './job-queue.features.ts';
import { localJobQueue } from './job-queue.harness.ts';

jobQueueFeatures('in process', () => localJobQueue());
