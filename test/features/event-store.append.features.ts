import { expect } from 'vitest';
import type { Commit } from '../../src/core/commit.ts';
import { PouwError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { commitAfter, commitChain, resealed, testStream } from './commits.ts';
import { appendAll, collect, type EventStoreHarness } from './event-store.harness.ts';
import type { Feature } from './feature.ts';

/** The newest commit of a stream, read from the store. */
async function latest(store: EventStore, stream: Commit['stream']): Promise<Commit | undefined> {
  return (await collect(store.read(stream))).at(-1)?.commit;
}

function withEvents(count: number): Commit {
  const events = Array.from({ length: count }, () => ({ type: 'Noted' }));
  return resealed(commitAfter(undefined, testStream('events')), { events });
}

/** What an event store promises to those who append. */
export const appendFeatures: readonly Feature<EventStoreHarness>[] = [
  {
    name: 'stores the commits of a stream and reads them back as they were',
    check: async ({ store }) => {
      const chain = commitChain(testStream(1), 5);
      await appendAll(store, chain);
      expect((await collect(store.read(testStream(1)))).map(({ commit }) => commit)).toEqual(chain);
    },
  },
  {
    name: 'keeps every character, number and order of events',
    check: async ({ store }) => {
      const events = [
        {
          type: 'Odd',
          text: '\u0000 "quotes" \\ \u2028 🜁 é e\u0301',
          numbers: [0, -1.5, 1e-7, 2 ** 53 - 1],
          nothing: null,
          deep: { b: [{}], a: [] },
        },
        { type: 'Second', yes: true },
      ];
      const commit = resealed(commitAfter(undefined, testStream(1)), { events });
      await store.append(commit);
      expect((await collect(store.read(testStream(1))))[0]?.commit).toEqual(commit);
    },
  },
  {
    name: 'refuses a commit whose version is taken by another one, and changes nothing',
    check: async ({ store }) => {
      const stream = testStream(1);
      const [first, second] = commitChain(stream, 2) as [Commit, Commit];
      await appendAll(store, [first, second]);
      const rival = commitAfter(first, stream, 'a rival');
      expect(await store.append(rival)).toEqual({ outcome: 'conflict', version: 2 });
      expect((await collect(store.read(stream))).map(({ commit }) => commit)).toEqual([first, second]);
      expect((await store.head(stream))?.hash).toBe(second.hash);
    },
  },
  {
    name: 'refuses a commit that leaves out versions',
    check: async ({ store }) => {
      const [first, , third] = commitChain(testStream(1), 3) as [Commit, Commit, Commit];
      expect(await store.append(third)).toEqual({ outcome: 'conflict', version: 0 });
      await store.append(first);
      expect(await store.append(third)).toEqual({ outcome: 'conflict', version: 1 });
      expect(await collect(store.readAll())).toHaveLength(1);
    },
  },
  {
    name: 'refuses a commit that follows another history',
    check: async ({ store }) => {
      const stream = testStream(1);
      const [first] = commitChain(stream, 1) as [Commit];
      await store.append(first);
      const elsewhere = commitAfter(undefined, stream, 'another first');
      expect(await store.append(commitAfter(elsewhere, stream))).toEqual({ outcome: 'conflict', version: 1 });
      expect(await store.append(resealed(first, { prev: 'f'.repeat(64) }))).toEqual({
        outcome: 'conflict',
        version: 1,
      });
      expect((await store.head(stream))?.hash).toBe(first.hash);
    },
  },
  {
    name: 'knows a commit it has stored, the newest and an older one, and stores it once',
    check: async ({ store }) => {
      const chain = commitChain(testStream(1), 3);
      await appendAll(store, chain);
      const again = await Promise.all([...chain, ...chain].map((commit) => store.append(commit)));
      expect(again).toEqual([1, 2, 3, 1, 2, 3].map((position) => ({ outcome: 'duplicate', position })));
      expect(await collect(store.readAll())).toHaveLength(3);
    },
  },
  {
    name: 'knows a duplicate in the same breath',
    check: async ({ store }) => {
      const commit = commitAfter(undefined, testStream(1));
      const results = await Promise.all([store.append(commit), store.append(commit)]);
      expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(['duplicate', 'stored']);
      expect(await collect(store.readAll())).toHaveLength(1);
    },
  },
  {
    name: 'lets exactly one of many rivals win each version',
    check: async ({ store }) => {
      const stream = testStream('race');
      const [writers, versions] = [16, 12];
      const wins = new Map<number, string[]>();
      const write = async (writer: number): Promise<void> => {
        for (
          let head = await latest(store, stream);
          (head?.version ?? 0) < versions;
          head = await latest(store, stream)
        ) {
          const commit = commitAfter(head, stream, `by writer ${writer}`);
          const { outcome } = await store.append(commit);
          if (outcome === 'stored') wins.set(commit.version, [...(wins.get(commit.version) ?? []), commit.hash]);
        }
      };
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
      const stored = (await collect(store.read(stream))).map(({ commit }) => commit);
      expect(stored.map(({ version }) => version)).toEqual(Array.from({ length: versions }, (_, index) => index + 1));
      expect(stored.map(({ hash }) => [hash])).toEqual(stored.map(({ version }) => wins.get(version)));
    },
  },
  {
    name: 'stores a pipelined chain whole and in order',
    check: async ({ store }) => {
      const chain = commitChain(testStream(1), 400);
      const results = await Promise.all(chain.map((commit) => store.append(commit)));
      expect(results.every(({ outcome }) => outcome === 'stored')).toBe(true);
      expect((await collect(store.read(testStream(1)))).map(({ commit }) => commit.version)).toEqual(
        chain.map(({ version }) => version),
      );
    },
  },
  {
    name: 'takes a commit at its bounds and refuses one beyond them',
    check: async ({ store }) => {
      const first = commitAfter(undefined, testStream('bytes'), '');
      const room = limits.commitBytesMax - Buffer.byteLength(JSON.stringify(first));
      const padded = (bytes: number): Commit =>
        resealed(first, { events: [{ type: 'Noted', note: 'x'.repeat(bytes) }] });
      await expect(store.append(padded(room + 1))).rejects.toMatchObject({ code: 'commit_too_large' });
      expect((await store.append(padded(room))).outcome).toBe('stored');
      await expect(store.append(withEvents(limits.commitEventsMax + 1))).rejects.toBeInstanceOf(PouwError);
      expect((await store.append(withEvents(limits.commitEventsMax))).outcome).toBe('stored');
    },
  },
];
