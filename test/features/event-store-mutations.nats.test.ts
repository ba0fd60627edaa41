import { type MsgHdrs, type NatsConnection, headers as emptyHeaders } from 'nats';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { eventStoreFeatureList } from './event-store.features.ts';
import { eventStoreMutations } from './event-store.mutations.ts';
import { natsLog } from './event-store.nats-harness.ts';
import { sharedEventStoreFeatureList } from './event-store.shared.features.ts';
import { type Mutation, testMutations } from './feature.ts';

const nats = sharedNatsServer();
// What a broken store never does is not waited for as long as what a good one may be slow with.
const patienceMs = 500;

testMutations('event store', eventStoreFeatureList, eventStoreMutations, async (store) =>
  natsLog({ url: (await nats()).url, patienceMs, store }),
);

/** A connection whose commits are published with other headers; undefined takes one away. */
function publishing(change: Readonly<Record<string, (value: string) => string | undefined>>) {
  return (connection: NatsConnection): NatsConnection => {
    const request: NatsConnection['request'] = (subject, payload, options) =>
      connection.request(subject, payload, {
        ...options,
        timeout: options?.timeout ?? 2_000,
        ...(options?.headers === undefined ? {} : { headers: changed(options.headers, change) }),
      });
    return new Proxy(connection, {
      get: (target, key) => {
        if (key === 'request') return request;
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
}

function changed(headers: MsgHdrs, change: Parameters<typeof publishing>[0]): MsgHdrs {
  const other = emptyHeaders();
  for (const key of headers.keys()) {
    const value = change[key] === undefined ? headers.get(key) : change[key](headers.get(key));
    if (value !== undefined) other.set(key, value);
  }
  return other;
}

const connectionMutations: readonly Mutation<NatsConnection>[] = [
  {
    name: 'does not compare and swap',
    caughtBy: [
      'lets exactly one of many processes win each version',
      'takes no rival from a process that does not know of the winner',
    ],
    mutate: publishing({ 'Nats-Expected-Last-Subject-Sequence': () => undefined }),
  },
];

testMutations('shared event store', sharedEventStoreFeatureList, connectionMutations, async (connection) =>
  natsLog({ url: (await nats()).url, patienceMs, connection }),
);
