import { sharedNatsServer } from '../kit/nats-server.ts';
import { jobQueueFeatures } from './job-queue.features.ts';
import { natsJobQueue } from './job-queue.harness.ts';

const nats = sharedNatsServer();

jobQueueFeatures('JetStream', async () => natsJobQueue((await nats()).url));
