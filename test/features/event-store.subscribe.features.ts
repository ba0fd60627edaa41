import { expect } from 'vitest';
import type { EventStore, StoredCommit } from '../../src/ports/event-store.ts';
import { commitAfter, commitChain, testStream } from './commits.ts';
import { appendAll, collect, type EventStoreHarness } from './event-store.harness.ts';
import { aMoment, eventually, type Feature } from './feature.ts';

/** Subscribes and keeps what comes, as `stream@version` in order of arrival. */
function follow(
  store: EventStore,
  fromPosition: number,
): { readonly seen: StoredCommit[]; close: () => Promise<void> } {
  const seen: StoredCommit[] = [];
  const subscription = store.subscribe(fromPosition, (stored) => {
    seen.push(stored);
  });
  return { seen, close: () => subscription.close() };
}

function positions(stored: readonly StoredCommit[]): number[] {
  return stored.map(({ position }) => position);
}

function upTo(count: number, from = 1): number[] {
  return Array.from({ length: count - from + 1 }, (_, index) => from + index);
}

/** What an event store promises to those who follow it. */
export const subscribeFeatures: readonly Feature<EventStoreHarness>[] = [
  {
    name: 'hands a subscriber what is there and then what comes',
    check: async ({ store, patienceMs }) => {
      const chain = commitChain(testStream(1), 4);
      await appendAll(store, chain.slice(0, 2));
      const { seen, close } = follow(store, 1);
      await eventually('the old commits', () => seen.length === 2, patienceMs);
      await appendAll(store, chain.slice(2));
      await eventually('the new commits', () => seen.length === 4, patienceMs);
      expect(seen.map(({ commit }) => commit)).toEqual(chain);
      await close();
    },
  },
  {
    name: 'hands over from old to new under load, each commit once and in order, to every subscriber',
    check: async ({ store, patienceMs }) => {
      const [streams, versions] = [8, 60];
      const total = streams * versions;
      const chains = Array.from({ length: streams }, (_, key) => commitChain(testStream(key), versions));
      const followers: ReturnType<typeof follow>[] = [];
      await Promise.all(
        chains.map(async (chain) => {
          for (const commit of chain) {
            await store.append(commit);
            if (followers.length < 6 && commit.version % 10 === 5) followers.push(follow(store, 1 + followers.length));
          }
        }),
      );
      await eventually(
        'all commits for all',
        () => followers.every(({ seen }, index) => seen.length >= total - index),
        patienceMs,
      );
      await aMoment();
      const all = await collect(store.readAll());
      followers.forEach(({ seen }, index) => {
        expect(positions(seen)).toEqual(upTo(total, 1 + index));
        expect(seen).toEqual(all.slice(index));
      });
      await Promise.all(followers.map(({ close }) => close()));
    },
  },
  {
    name: 'starts a subscriber at a position to come',
    check: async ({ store, patienceMs }) => {
      const { seen, close } = follow(store, 3);
      await appendAll(store, commitChain(testStream(1), 4));
      await eventually('the third and fourth', () => seen.length >= 2, patienceMs);
      expect(positions(seen)).toEqual([3, 4]);
      await close();
    },
  },
  {
    name: 'waits for a slow subscriber without holding up appends or other subscribers',
    check: async ({ store, patienceMs }) => {
      const slow: number[] = [];
      let running = 0;
      let most = 0;
      const subscription = store.subscribe(1, async ({ position }) => {
        running += 1;
        most = Math.max(most, running);
        await aMoment(2);
        slow.push(position);
        running -= 1;
      });
      const fast = follow(store, 1);
      await appendAll(store, commitChain(testStream(1), 10));
      await eventually('the fast one', () => fast.seen.length === 10, patienceMs);
      await eventually('the slow one', () => slow.length === 10, patienceMs);
      expect({ slow, most }).toEqual({ slow: upTo(10), most: 1 });
      await Promise.all([subscription.close(), fast.close()]);
    },
  },
  {
    name: 'goes on after a subscriber has thrown',
    check: async ({ store, patienceMs }) => {
      const seen: number[] = [];
      const subscription = store.subscribe(1, ({ position }) => {
        seen.push(position);
        if (position === 2) throw new Error('the handler of the test fails');
      });
      const other = follow(store, 1);
      await appendAll(store, commitChain(testStream(1), 4));
      await eventually('the rest', () => seen.length >= 4 && other.seen.length >= 4, patienceMs);
      expect(seen).toEqual([1, 2, 3, 4]);
      await Promise.all([subscription.close(), other.close()]);
    },
  },
  {
    name: 'calls no handler once its subscription is closed',
    check: async ({ store, patienceMs }) => {
      let running = false;
      let calls = 0;
      const subscription = store.subscribe(1, async () => {
        calls += 1;
        running = true;
        await aMoment(10);
        running = false;
      });
      await appendAll(store, commitChain(testStream(1), 3));
      await eventually('a running handler', () => running, patienceMs);
      await subscription.close();
      expect(running).toBe(false);
      const callsAtClose = calls;
      await store.append(commitAfter(undefined, testStream(2)));
      await aMoment();
      expect(calls).toBe(callsAtClose);
    },
  },
];
