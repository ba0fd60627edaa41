import { expect } from 'vitest';
import { present } from '../../src/core/assert.ts';
import { hashJson } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import type { SnapshotRecord, Snapshots } from '../../src/ports/snapshots.ts';
import { testStream } from './commits.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';

/** A fresh place for snapshots, and how to open it again on what it has kept. */
export interface SnapshotsHarness extends Disposable {
  readonly snapshots: Snapshots;
  readonly reopen: () => Promise<Snapshots>;
}

function record(key: string, version: number, state: unknown = { count: version }): SnapshotRecord {
  return {
    stream: testStream(key),
    version,
    commitHash: hashJson(['commit', key, version]),
    machineVersion: 3,
    stateHash: hashJson(state),
    state,
  };
}

/** What a place for snapshots promises. It is a cache: it may lose one, never change one. */
export const snapshotsFeatureList: readonly Feature<SnapshotsHarness>[] = [
  {
    name: 'has none of a stream it knows nothing of',
    check: async ({ snapshots }) => {
      expect(await snapshots.load(testStream('none'))).toBeUndefined();
    },
  },
  {
    name: 'returns what was saved, each stream its own',
    check: async ({ snapshots }) => {
      const state = { text: 'é \u2028 "', list: [1, 2.5, null], deep: { yes: true } };
      await snapshots.save(record('a', 7, state));
      await snapshots.save(record('b', 1));
      expect(await snapshots.load(testStream('a'))).toEqual(record('a', 7, state));
      expect(await snapshots.load(testStream('b'))).toEqual(record('b', 1));
    },
  },
  {
    name: 'keeps what was saved last',
    check: async ({ snapshots }) => {
      for (const version of [1, 2, 3]) await snapshots.save(record('a', version));
      expect(await snapshots.load(testStream('a'))).toEqual(record('a', 3));
    },
  },
  {
    name: 'hands out a state nobody else holds',
    check: async ({ snapshots }) => {
      const state = { list: [1] };
      await snapshots.save(record('a', 1, state));
      state.list.push(2);
      const loaded = present(await snapshots.load(testStream('a')), 'the snapshot').state as { list: number[] };
      expect(loaded).toEqual({ list: [1] });
      loaded.list.push(3);
      expect((await snapshots.load(testStream('a')))?.state).toEqual({ list: [1] });
    },
  },
  {
    name: 'keeps snapshots over an orderly end',
    check: async ({ snapshots, reopen }) => {
      await snapshots.save(record('a', 4));
      const again = await reopen();
      expect(await again.load(testStream('a'))).toEqual(record('a', 4));
    },
  },
  {
    name: 'keeps a state at its bound, and leaves a larger one out',
    check: async ({ snapshots }) => {
      // The two quotes of the text count.
      const largest = 'x'.repeat(limits.snapshotBytesMax - 2);
      await snapshots.save(record('a', 1, largest));
      expect((await snapshots.load(testStream('a')))?.version).toBe(1);
      await snapshots.save(record('a', 2, `${largest}x`));
      expect((await snapshots.load(testStream('a')))?.version).toBe(1);
    },
  },
];

/** The contract of the Snapshots port. */
export function snapshotsFeatures(name: string, make: () => Promise<SnapshotsHarness>): void {
  testFeatures('snapshots', name, snapshotsFeatureList, make);
}
