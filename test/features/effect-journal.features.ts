import { expect } from 'vitest';
import { type EffectId, effectId, type StreamId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { Cursors, EffectJournal } from '../../src/ports/effect-journal.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { commitChain, testStream } from './commits.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';

/** A fresh journal with the log it belongs to. */
export interface EffectJournalParts {
  readonly journal: EffectJournal;
  readonly cursors: Cursors;
  readonly events: EventStore;
}

/** The parts, and how to open them again on what they have kept. */
export interface EffectJournalHarness extends Disposable, EffectJournalParts {
  /** Ends them in order. */
  readonly reopen: () => Promise<EffectJournalParts>;
}

const stream = testStream('a');

async function append(events: EventStore, of: StreamId, count: number): Promise<void> {
  for (const commit of commitChain(of, count)) await events.append(commit);
}

async function doneIds(journal: EffectJournal, of: StreamId): Promise<EffectId[]> {
  return [...(await journal.done(of)).ids].toSorted();
}

const marks: readonly Feature<EffectJournalHarness>[] = [
  {
    name: 'begins with nothing done',
    check: async ({ journal }) => {
      expect(await journal.done(stream)).toEqual({ watermark: 0, ids: new Set() });
    },
  },
  {
    name: 'knows at once which effects are done, also when they are marked twice or out of order',
    check: async ({ journal }) => {
      for (const [version, n] of [
        [3, 1],
        [1, 0],
        [3, 0],
        [1, 0],
      ] as const) {
        await journal.markDone(effectId(stream, version, n));
      }
      expect((await journal.done(stream)).watermark).toBe(0);
      expect(await doneIds(journal, stream)).toEqual([
        effectId(stream, 1, 0),
        effectId(stream, 3, 0),
        effectId(stream, 3, 1),
      ]);
    },
  },
  {
    name: 'keeps the streams apart',
    check: async ({ journal }) => {
      const other = testStream('ab');
      await journal.markDone(effectId(stream, 1, 0));
      await journal.advance(other, 5);
      expect((await journal.done(stream)).watermark).toBe(0);
      expect(await journal.done(other)).toEqual({ watermark: 5, ids: new Set() });
    },
  },
  {
    name: 'forgets the effects up to the watermark and keeps those beyond',
    check: async ({ journal }) => {
      for (const version of [1, 2, 3, 4]) await journal.markDone(effectId(stream, version, 0));
      await journal.advance(stream, 2);
      expect((await journal.done(stream)).watermark).toBe(2);
      expect(await doneIds(journal, stream)).toEqual([effectId(stream, 3, 0), effectId(stream, 4, 0)]);
    },
  },
  {
    name: 'never takes a watermark back',
    check: async ({ journal }) => {
      await journal.advance(stream, 10);
      await journal.advance(stream, 4);
      await journal.markDone(effectId(stream, 7, 0));
      expect(await journal.done(stream)).toEqual({ watermark: 10, ids: new Set() });
    },
  },
];

const recovery: readonly Feature<EffectJournalHarness>[] = [
  {
    name: 'names the streams whose watermark is behind their head, and no others',
    check: async ({ journal, events }) => {
      for (const [key, count] of [
        ['never', 2],
        ['partly', 3],
        ['wholly', 2],
      ] as const) {
        await append(events, testStream(key), count);
      }
      await journal.advance(testStream('partly'), 2);
      await journal.advance(testStream('wholly'), 2);
      await journal.markDone(effectId(testStream('partly'), 3, 0));
      expect((await journal.unfinished()).toSorted()).toEqual([testStream('never'), testStream('partly')]);
      await journal.advance(testStream('partly'), 3);
      await journal.advance(testStream('never'), 2);
      expect(await journal.unfinished()).toEqual([]);
    },
  },
  {
    name: 'still knows everything after an orderly end',
    check: async (harness) => {
      await append(harness.events, stream, 3);
      await harness.journal.advance(stream, 1);
      await harness.journal.markDone(effectId(stream, 3, 2));
      const { journal } = await harness.reopen();
      expect(await journal.done(stream)).toEqual({ watermark: 1, ids: new Set([effectId(stream, 3, 2)]) });
      expect(await journal.unfinished()).toEqual([stream]);
    },
  },
];

const cursorFeatures: readonly Feature<EffectJournalHarness>[] = [
  {
    name: 'keeps the newest value of each cursor, also after an end',
    check: async (harness) => {
      const { cursors } = harness;
      expect(await cursors.load('chain')).toBeUndefined();
      await cursors.save('chain', '{"block":1}');
      await cursors.save('chain', '{"block":2}');
      await cursors.save('other', '');
      expect([await cursors.load('chain'), await cursors.load('other')]).toEqual(['{"block":2}', '']);
      const again = await harness.reopen();
      expect(await again.cursors.load('chain')).toBe('{"block":2}');
    },
  },
  {
    name: 'takes a cursor at its bound and refuses a longer one',
    check: async ({ cursors }) => {
      const longest = 'x'.repeat(limits.cursorCharsMax);
      await cursors.save('a', longest);
      await expect(cursors.save('a', `${longest}x`)).rejects.toThrow('cursor');
      expect(await cursors.load('a')).toBe(longest);
    },
  },
];

/** What a journal of effects and its cursors promise. */
export const effectJournalFeatureList: readonly Feature<EffectJournalHarness>[] = [
  ...marks,
  ...recovery,
  ...cursorFeatures,
];

/** The contract of the EffectJournal and Cursors ports. */
export function effectJournalFeatures(name: string, make: () => Promise<EffectJournalHarness>): void {
  testFeatures('effect journal', name, effectJournalFeatureList, make);
}
