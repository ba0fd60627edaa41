import { expect } from 'vitest';
import type { Commit } from '../../src/core/commit.ts';
import type { EventStore, StoredCommit } from '../../src/ports/event-store.ts';
import { commitAfter, commitChain, testStream } from './commits.ts';
import { appendAll, collect, type EventStoreHarness } from './event-store.harness.ts';
import { eventually, type Feature, testFeatures } from './feature.ts';

/** A log that several processes have open at a time. */
export interface SharedEventStoreHarness extends EventStoreHarness {
  /** Opens the same log once more, as another process would. */
  readonly another: () => Promise<EventStore>;
}

async function versions(store: EventStore, stream: Commit['stream']): Promise<number[]> {
  return (await collect(store.read(stream))).map(({ commit }) => commit.version);
}

/** What an event store promises where several processes share a log. */
export const sharedEventStoreFeatureList: readonly Feature<SharedEventStoreHarness>[] = [
  {
    name: 'lets exactly one of many processes win each version',
    check: async ({ store, another }) => {
      const stream = testStream('race');
      const stores = [store, ...(await Promise.all([another(), another(), another()]))];
      const wins: Commit[] = [];
      const write = async (writer: number): Promise<void> => {
        const own = stores[writer % stores.length] as EventStore;
        let head: Commit | undefined;
        while ((head?.version ?? 0) < 20) {
          const commit = commitAfter(head, stream, `by writer ${writer}`);
          const { outcome } = await own.append(commit);
          if (outcome === 'stored') wins.push(commit);
          head = (await collect(own.read(stream))).at(-1)?.commit;
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
      const stored = (await collect(store.read(stream))).map(({ commit }) => commit);
      expect(stored.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(wins.toSorted((a, b) => a.version - b.version).map(({ hash }) => hash)).toEqual(
        stored.map(({ hash }) => hash),
      );
    },
  },
  {
    name: 'takes no rival from a process that does not know of the winner',
    check: async ({ store, another }) => {
      const stream = testStream(1);
      const [first, second] = commitChain(stream, 2) as [Commit, Commit];
      const other = await another();
      await store.append(first);
      expect(await other.append(commitAfter(first, stream, 'seen by both'))).toMatchObject({ outcome: 'stored' });
      expect(await store.append(second)).toEqual({ outcome: 'conflict', version: 2 });
      expect(await versions(store, stream)).toEqual([1, 2]);
    },
  },
  {
    name: 'knows a commit that another process has stored, the newest and an older one',
    check: async ({ store, another }) => {
      const chain = commitChain(testStream(1), 4);
      const other = await another();
      await appendAll(store, chain.slice(0, 1));
      await appendAll(other, chain.slice(1));
      const again = [];
      for (const commit of chain) again.push(await store.append(commit));
      expect(again).toEqual([1, 2, 3, 4].map((position) => ({ outcome: 'duplicate', position })));
      expect(await versions(other, testStream(1))).toEqual([1, 2, 3, 4]);
    },
  },
  {
    name: 'names the current version in a conflict, whoever raised it',
    check: async ({ store, another }) => {
      const stream = testStream(1);
      const chain = commitChain(stream, 5);
      const other = await another();
      await appendAll(store, chain.slice(0, 2));
      await appendAll(other, chain.slice(2));
      const rival = commitAfter(chain[0], stream, 'a rival of the second');
      expect(await store.append(rival)).toEqual({ outcome: 'conflict', version: 5 });
      expect(await store.append(commitAfter(chain[4], stream))).toEqual({ outcome: 'stored', position: 6 });
    },
  },
  {
    name: 'reads at once what another process has stored',
    check: async ({ store, another }) => {
      const chain = commitChain(testStream(1), 3);
      const other = await another();
      for (const commit of chain) {
        await store.append(commit);
        expect(await versions(other, testStream(1))).toHaveLength(commit.version);
        expect((await other.head(testStream(1)))?.hash).toBe(commit.hash);
        expect((await collect(other.heads())).map(({ version }) => version)).toEqual([commit.version]);
        expect(await collect(other.readAll())).toHaveLength(commit.version);
      }
    },
  },
  {
    name: 'hands a subscriber what other processes store, each commit once and in order',
    check: async ({ store, another, patienceMs }) => {
      const seen: StoredCommit[] = [];
      const subscription = store.subscribe(1, (stored) => void seen.push(stored));
      const others = await Promise.all([another(), another()]);
      await Promise.all(others.map((other, key) => appendAll(other, commitChain(testStream(key), 100))));
      await eventually('the commits of others', () => seen.length >= 200, patienceMs);
      await subscription.close();
      expect(seen).toEqual(await collect(store.readAll()));
    },
  },
];

/** The contract of the EventStore port for stores that several processes may open at a time. */
export function sharedEventStoreFeatures(name: string, make: () => Promise<SharedEventStoreHarness>): void {
  testFeatures('shared event store', name, sharedEventStoreFeatureList, make);
}
