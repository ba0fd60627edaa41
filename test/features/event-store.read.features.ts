import { expect } from 'vitest';
import type { Commit } from '../../src/core/commit.ts';
import { limits } from '../../src/core/limits.ts';
import { streamId } from '../../src/core/ids.ts';
import { commitAfter, commitChain, resealed, testStream } from './commits.ts';
import { appendAll, collect, type EventStoreHarness } from './event-store.harness.ts';
import type { Feature } from './feature.ts';

/** What an event store promises to those who read. */
export const readFeatures: readonly Feature<EventStoreHarness>[] = [
  {
    name: 'numbers commits from 1 without gaps, over all streams',
    check: async ({ store }) => {
      const chains = [1, 2, 3].map((key) => commitChain(testStream(key), 4));
      for (let index = 0; index < 4; index++) {
        for (const chain of chains) {
          await store.append(chain[index] as Commit);
          await store.append(resealed(chain[index] as Commit, { cause: 'a rival' }));
        }
      }
      const all = await collect(store.readAll());
      expect(all.map(({ position }) => position)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
      expect((await collect(store.readAll({ fromPosition: 8 }))).map(({ position }) => position)).toEqual([
        8, 9, 10, 11, 12,
      ]);
      expect(await collect(store.readAll({ fromPosition: 13 }))).toEqual([]);
    },
  },
  {
    name: 'says with an append where the commit is',
    check: async ({ store }) => {
      for (const commit of commitChain(testStream(1), 3)) {
        const result = await store.append(commit);
        expect(result).toEqual({ outcome: 'stored', position: commit.version });
        expect((await collect(store.readAll({ fromPosition: commit.version })))[0]?.commit).toEqual(commit);
      }
    },
  },
  {
    name: 'reads any part of a stream, both ends included',
    check: async ({ store }) => {
      await appendAll(store, commitChain(testStream(1), 6));
      const versions = async (options: { fromVersion?: number; toVersion?: number }): Promise<number[]> =>
        (await collect(store.read(testStream(1), options))).map(({ commit }) => commit.version);
      expect(await versions({ fromVersion: 3 })).toEqual([3, 4, 5, 6]);
      expect(await versions({ toVersion: 2 })).toEqual([1, 2]);
      expect(await versions({ fromVersion: 2, toVersion: 4 })).toEqual([2, 3, 4]);
      expect(await versions({ fromVersion: 7 })).toEqual([]);
      expect(await collect(store.read(testStream('none')))).toEqual([]);
    },
  },
  {
    name: 'reads more than fits into a page',
    check: async ({ store }) => {
      const count = 2 * limits.storePageCommitsMax + 3;
      const chain = commitChain(testStream(1), count);
      await Promise.all(chain.map((commit) => store.append(commit)));
      expect((await collect(store.read(testStream(1)))).map(({ commit }) => commit)).toEqual(chain);
      expect(await collect(store.readAll())).toHaveLength(count);
    },
  },
  {
    name: 'reads commits of the largest size, however many',
    check: async ({ store }) => {
      const chain: Commit[] = [];
      while (chain.length < 6) {
        const next = commitAfter(chain.at(-1), testStream(1), '');
        const room = limits.commitBytesMax - Buffer.byteLength(JSON.stringify(next));
        chain.push(resealed(next, { events: [{ type: 'Noted', note: 'x'.repeat(room) }] }));
      }
      await appendAll(store, chain);
      const hashes = chain.map(({ hash }) => hash);
      expect((await collect(store.read(testStream(1)))).map(({ commit }) => commit.hash)).toEqual(hashes);
      expect((await collect(store.readAll())).map(({ commit }) => commit.hash)).toEqual(hashes);
    },
  },
  {
    name: 'finds the end of a long stream among others',
    check: async ({ store }) => {
      const count = 2 * limits.storePageCommitsMax + 50;
      const chains = [1, 2].map((key) => commitChain(testStream(key), count));
      await Promise.all(chains.flat().map((commit) => store.append(commit)));
      for (const fromVersion of [limits.storePageCommitsMax, count - 20, count - 1, count]) {
        const versions = (await collect(store.read(testStream(2), { fromVersion }))).map(
          ({ commit }) => commit.version,
        );
        expect(versions).toEqual(Array.from({ length: count - fromVersion + 1 }, (_, index) => fromVersion + index));
      }
    },
  },
  {
    name: 'lets a reader stop in the middle',
    check: async ({ store }) => {
      const chain = commitChain(testStream(1), 2 * limits.storePageCommitsMax);
      await Promise.all(chain.map((commit) => store.append(commit)));
      for (const items of [store.readAll(), store.read(testStream(1)), store.heads()]) {
        for await (const item of items) {
          expect(item).toBeDefined();
          break;
        }
      }
      expect(await store.append(commitAfter(chain.at(-1), testStream(1)))).toMatchObject({ outcome: 'stored' });
    },
  },
  {
    name: 'keeps the streams apart',
    check: async ({ store }) => {
      const [a, b] = [commitChain(testStream('a'), 3), commitChain(testStream('ab'), 2)];
      await appendAll(store, [...a, ...b]);
      expect((await collect(store.read(testStream('a')))).map(({ commit }) => commit)).toEqual(a);
      expect((await collect(store.read(testStream('ab')))).map(({ commit }) => commit)).toEqual(b);
    },
  },
  {
    name: 'knows the head of every stream',
    check: async ({ store }) => {
      const chains = ['b', 'a', 'c'].map((key, index) => commitChain(testStream(key), index + 1));
      expect(await store.head(testStream('a'))).toBeUndefined();
      await appendAll(store, chains.flat());
      const expected = [
        { stream: testStream('a'), version: 2, hash: chains[1]?.[1]?.hash, position: 3 },
        { stream: testStream('b'), version: 1, hash: chains[0]?.[0]?.hash, position: 1 },
        { stream: testStream('c'), version: 3, hash: chains[2]?.[2]?.hash, position: 6 },
      ];
      expect(await collect(store.heads())).toEqual(expected);
      expect(await store.head(testStream('a'))).toEqual(expected[0]);
    },
  },
  {
    name: 'knows the heads of more streams than fit into a page, in order of stream id',
    check: async ({ store }) => {
      const count = limits.storePageCommitsMax + 10;
      const streams = Array.from({ length: count }, (_, key) =>
        streamId(key % 2 === 0 ? 'session' : 'miner', `31337-abcdef01-${key}`),
      );
      await Promise.all(streams.map((stream) => store.append(commitAfter(undefined, stream))));
      expect((await collect(store.heads())).map(({ stream }) => stream)).toEqual(
        streams.toSorted((a, b) => (a < b ? -1 : 1)),
      );
    },
  },
  {
    name: 'takes and gives nothing once it is closed',
    check: async ({ store }) => {
      const chain = commitChain(testStream(1), 2);
      await appendAll(store, chain.slice(0, 1));
      await store.close();
      const closed = { code: 'log_closed' };
      await expect(store.append(chain[1] as Commit)).rejects.toMatchObject(closed);
      await expect(store.head(testStream('unknown'))).rejects.toMatchObject(closed);
      await expect(collect(store.read(testStream(1)))).rejects.toMatchObject(closed);
      await expect(collect(store.readAll())).rejects.toMatchObject(closed);
    },
  },
  {
    name: 'still has everything when it is opened again',
    check: async (harness) => {
      const chain = commitChain(testStream(1), 3);
      await appendAll(harness.store, chain);
      const store = await harness.reopen();
      expect((await collect(store.read(testStream(1)))).map(({ commit }) => commit)).toEqual(chain);
      expect(await store.append(chain[2] as Commit)).toEqual({ outcome: 'duplicate', position: 3 });
      expect(await store.append(commitAfter(chain[2], testStream(1)))).toEqual({ outcome: 'stored', position: 4 });
    },
  },
];
