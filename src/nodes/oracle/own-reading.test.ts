import { beforeEach, describe, expect, test } from 'vitest';
import { type Checkpoint, standingsTree } from '../../core/checkpoint.ts';
import { PouwError } from '../../core/errors.ts';
import { toAddress } from '../../core/ids.ts';
import type { PostedCheckpoint, ReputationState } from '../../ports/reputation.ts';
import type { NodeBase } from '../node-base.ts';
import { type CheckpointWanted, type MadeCheckpoint, OwnReading } from './own-reading.ts';

const node = toAddress(`0x${'ab'.repeat(20)}`);
const standing = { node, level: 1, scoreBps: 9_000, honest: 3, outlier: 0, timedOut: 0, idleWork: 5 };
const made: MadeCheckpoint = {
  anchorEpoch: 4,
  manifest: { v: 1 },
  manifestDigest: `0x${'22'.repeat(32)}`,
  to: 80,
  standings: [standing],
  isCertain: true,
};
const right: Checkpoint = {
  epoch: 7,
  skipped: 1,
  fromPosition: 51,
  toPosition: 80,
  anchorEpoch: 4,
  idleWork: 5,
  nodes: 1,
  revision: 2,
  root: standingsTree([standing]).root,
  manifestDigest: made.manifestDigest,
};
const lie: Checkpoint = { ...right, root: `0x${'33'.repeat(32)}` };

/** What the log leads to, one answer after the other; the last one stays. */
let answers: (MadeCheckpoint | undefined | Error)[];
let wanted: CheckpointWanted[];
let warned: unknown[];
let now: number;
/** How long one reading takes. */
let tookMs: number;
let reading: OwnReading;

beforeEach(() => {
  [answers, wanted, warned, now, tookMs] = [[made], [], [], 0, 0];
  const log = { warn: (_: string, fields?: { code?: unknown }) => void warned.push(fields?.code) };
  const ports = { clock: { now: () => now }, log, chain: { nodes: async () => [{ node }] } };
  reading = new OwnReading({ ports } as unknown as NodeBase, {
    reputation: { idleWork: async () => new Map([[node, 5]]) } as never,
    make: async (asked) => {
      wanted.push(asked);
      now += tookMs;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
});

const posted = (checkpoint: Checkpoint): PostedCheckpoint => ({
  checkpoint,
  state: 'open',
  endedAt: 9_000,
  dueAt: 20_000,
  disputer: undefined,
  before: { anchorEpoch: 3, disputer: undefined },
});

const stateBefore: ReputationState = {
  at: 10_000,
  endedEpoch: 7,
  endedAt: 9_000,
  newest: { ...posted({ ...right, epoch: 5, toPosition: 50, anchorEpoch: 3 }), state: 'final' },
  revision: 2,
  quorum: 2,
  rulingQuorum: 3,
  disputeMs: 20_000,
};

describe('what is due', () => {
  test('is made once, from where the checkpoint before ended', async () => {
    expect(await reading.due(stateBefore)).toMatchObject({ checkpoint: right, manifest: made.manifest });
    expect(await reading.due(stateBefore)).toMatchObject({ checkpoint: right });
    expect(wanted).toEqual([{ from: 51, endedAt: 9_000, anchoredBefore: 3, idleWork: new Map([[node, 5]]) }]);
  });

  test('is made anew once a checkpoint has fallen: the same one, of the next revision', async () => {
    await reading.due({ ...stateBefore, revision: 1 });
    expect(await reading.due(stateBefore)).toMatchObject({ checkpoint: right });
    expect(wanted).toHaveLength(2);
  });

  test('is the first one where none was before', async () => {
    const first = await reading.due({ ...stateBefore, newest: undefined });
    expect(first?.checkpoint).toMatchObject({ skipped: 6, fromPosition: 1 });
    expect(wanted[0]).toMatchObject({ from: 1, anchoredBefore: 0 });
  });

  test.each(['open', 'disputed'] as const)('is nothing while the newest is %s', async (state) => {
    const newest = { ...posted({ ...right, epoch: 5 }), state };
    expect(await reading.due({ ...stateBefore, newest })).toBeUndefined();
    expect(wanted).toEqual([]);
  });

  test('is nothing where the epoch has one, or nothing was found of a node', async () => {
    const newest = { ...posted(right), state: 'final' } as const;
    expect(await reading.due({ ...stateBefore, newest })).toBeUndefined();
    answers = [{ ...made, standings: [] }, undefined, made];
    expect(await reading.due(stateBefore)).toBeUndefined();
    expect(await reading.due(stateBefore)).toBeUndefined();
    expect(await reading.due(stateBefore), 'tried again each time').toMatchObject({ checkpoint: right });
  });

  test('is tried again after it failed', async () => {
    answers = [new Error('no disk'), made];
    await expect(reading.due(stateBefore)).rejects.toThrow('no disk');
    expect(await reading.due(stateBefore)).toMatchObject({ checkpoint: right });
  });
});

describe('a checkpoint that was posted', () => {
  test('stands where it was made here, without another reading', async () => {
    await reading.due(stateBefore);
    expect(await reading.judge(posted(right))).toEqual({ stands: true });
    expect(wanted).toHaveLength(1);
  });

  test('stands where the reading leads to it, certain or not', async () => {
    answers = [{ ...made, isCertain: false }];
    expect(await reading.judge(posted(right))).toEqual({ stands: true });
    expect(wanted).toEqual([{ from: 51, endedAt: 9_000, anchoredBefore: 3, idleWork: new Map([[node, 5]]) }]);
  });

  test('is looked at again, once, when it is disputed, by who was not certain: what was missing may be there now', async () => {
    answers = [
      { ...made, isCertain: false },
      { ...made, isCertain: false },
      { ...made, to: 90 },
    ];
    expect(await reading.due(stateBefore)).toMatchObject({ checkpoint: right });
    for (const _ of [1, 2]) expect(await reading.judge(posted(right))).toEqual({ stands: true });
    expect(wanted).toHaveLength(2);
    const disputed = { ...posted(right), state: 'disputed' } as const;
    for (const _ of [1, 2])
      expect(await reading.judge(disputed)).toMatchObject({ stands: false, found: { checkpoint: { toPosition: 90 } } });
    expect(wanted).toHaveLength(3);
  });

  test('is false where another one was made here, and is read for it once', async () => {
    await reading.due(stateBefore);
    const verdicts = await Promise.all([reading.judge(posted(lie)), reading.judge(posted(lie))]);
    for (const verdict of verdicts)
      expect(verdict).toEqual({ stands: false, found: { checkpoint: right, manifest: made.manifest } });
    expect(wanted).toHaveLength(2);
  });

  test('is read for where making one has failed', async () => {
    answers = [new Error('no disk'), made];
    const failed = reading.due(stateBefore).catch(() => 'failed');
    expect(await reading.judge(posted(right))).toEqual({ stands: true });
    expect(await failed).toBe('failed');
  });

  test.each<[string, Partial<Checkpoint>]>([
    ['toPosition', { toPosition: 79 }],
    ['anchorEpoch', { anchorEpoch: 5 }],
    ['idleWork', { idleWork: 4 }],
    ['nodes', { nodes: 2 }],
    ['manifestDigest', { manifestDigest: `0x${'44'.repeat(32)}` }],
  ])('is false where %s differs', async (_, change) => {
    expect(await reading.judge(posted({ ...right, ...change }))).toMatchObject({ stands: false });
  });

  test('is false where the log says nothing of any node', async () => {
    answers = [{ ...made, standings: [] }];
    const verdict = await reading.judge(posted(right));
    expect(verdict).toMatchObject({ found: { checkpoint: { nodes: 0, idleWork: 0, root: `0x${'00'.repeat(32)}` } } });
  });

  test.each<[string, MadeCheckpoint | undefined | Error, string]>([
    ['what is here is not all', { ...made, isCertain: false }, 'checkpoint_unjudged'],
    ['nothing is anchored', undefined, 'checkpoint_unjudged'],
    ['the log ends before', new PouwError('position_not_found', 'no', { class: 'not-found' }), 'position_not_found'],
    ['something else is wrong', new Error('no disk'), 'internal'],
  ])('is not judged where %s, which is said once, and again when it can be', async (_, answer, code) => {
    answers = [answer, answer, made];
    tookMs = 100;
    expect(await reading.judge(posted(lie))).toBeUndefined();
    expect(warned).toEqual([code]);
    // A reading that takes long is not begun again at each look.
    expect(await reading.judge(posted(lie))).toBeUndefined();
    now = 499;
    expect(await reading.judge(posted(lie))).toBeUndefined();
    expect(wanted).toHaveLength(1);
    now = 500;
    expect(await reading.judge(posted(lie))).toBeUndefined();
    expect(wanted).toHaveLength(2);
    expect(warned).toHaveLength(1);
    now = 1_000;
    expect(await reading.judge(posted(lie))).toMatchObject({ stands: false });
    expect(warned).toHaveLength(1);
  });

  test('is judged at once where only another one could not be', async () => {
    answers = [undefined, made];
    tookMs = 100;
    expect(await reading.judge(posted(lie))).toBeUndefined();
    expect(await reading.judge(posted({ ...lie, revision: 3 }))).toMatchObject({ stands: false });
  });
});
