import { connect, type NatsConnection } from 'nats';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { SharedEventStoreHarness } from './event-store.shared.features.ts';

/** How a test changes what it is made of, to break it. */
export interface NatsLogOptions {
  readonly url: string;
  readonly patienceMs?: number;
  readonly replicas?: number;
  readonly connection?: (connection: NatsConnection) => NatsConnection;
  readonly store?: (store: EventStore) => EventStore;
}

let logs = 0;

/** A log of its own on a server, for one test; each store has a connection of its own, as processes have. */
export async function natsLog(options: NatsLogOptions): Promise<SharedEventStoreHarness> {
  const { url, connection: wrap = (given) => given, store: mutate = (given) => given } = options;
  logs += 1;
  const root = `log${process.pid}-${logs}.v1`;
  const closers: (() => Promise<void>)[] = [];
  const open = async (): Promise<EventStore> => {
    const connection = await connect({ servers: url });
    closers.push(() => connection.close());
    const store = await openNatsEventStore({
      connection: wrap(connection),
      root,
      replicas: options.replicas ?? 1,
      onError: () => undefined,
    });
    closers.push(() => store.close());
    return mutate(store);
  };
  const store = await open();
  return {
    store,
    patienceMs: options.patienceMs ?? 10_000,
    another: open,
    reopen: async () => {
      await store.close();
      return open();
    },
    close: async () => {
      for (const close of closers.toReversed()) await close();
    },
  };
}
