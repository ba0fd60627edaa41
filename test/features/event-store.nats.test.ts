import { sharedNatsServer } from '../kit/nats-server.ts';
import { eventStoreFeatures } from './event-store.features.ts';
import { natsLog } from './event-store.nats-harness.ts';
import { sharedEventStoreFeatures } from './event-store.shared.features.ts';

const nats = sharedNatsServer();

eventStoreFeatures('JetStream', async () => natsLog({ url: (await nats()).url }));
sharedEventStoreFeatures('JetStream', async () => natsLog({ url: (await nats()).url }));
