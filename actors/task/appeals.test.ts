import { describe, expect, test } from 'vitest';
import { alice, bob, bytes32, genesisAt } from '../../test/actors/chain-facts.ts';
import { detours, good } from '../../test/actors/samples/task.ts';
import { about, committed, given, see, when } from '../../test/actors/task-run.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { wei } from '../../src/core/wei.ts';
import { isOverruled, isRuled } from './appeals.ts';

const validated = [...committed, { ...good.validated, honest: [alice], outliers: [bob] }] as const;
const appealed = [...validated, detours.appealed] as const;

const appeal = see(11, {
  type: 'OutcomeAppealed',
  ...about,
  appellant: bob,
  bondWei: wei(10),
  drawBy: genesisAt + 40_000,
  attestBy: genesisAt + 60_000,
});
const rule = (overturned: boolean) =>
  see(12, {
    type: 'AppealDecided',
    ...about,
    overturned,
    winner: overturned ? bob : alice,
    honest: [overturned ? bob : alice],
    promptTokens: 6,
    outputTokens: 9,
    reportDigest: bytes32(77),
  });
const giveUp = see(12, { type: 'AppealUndecided', ...about });

describe('an outcome', () => {
  test('is appealed once, and only while it waits', () => {
    const { events, effects } = when(validated, appeal);
    expect(events).toMatchObject([{ type: 'OutcomeAppealed', appellant: bob, bondWei: wei(10) }]);
    expect(effects).toEqual([]);
    expect(when([...validated, ...events], appeal).events).toEqual([]);
    expect(when(committed, appeal).events).toEqual([]);
    expect(when([...validated, good.settled], appeal).events).toEqual([]);
  });

  test('that is overturned is replaced, and settled by a manifest of its own', () => {
    const validation = { winner: alice, honest: [alice], promptTokens: 6, outputTokens: 10, reportDigest: bytes32(7) };
    const first = when(committed, see(10, { type: 'ResultValidated', ...about, ...validation }));
    const { events, effects, state } = when(appealed, rule(true));
    expect(events).toMatchObject([{ type: 'AppealDecided', overturned: true, outliers: [alice] }]);
    const report = digestToCid(bytes32(77));
    expect(effects).toMatchObject([{ kind: 'settleOnChain', manifest: { winner: bob, honest: [bob], report } }]);
    expect(state.value).toBe('validated');
    expect(state.context).toMatchObject({
      verdict: { winner: bob, honest: [bob], outliers: [alice], report, outputTokens: 9 },
      appeal: { state: 'overturned', appellant: bob },
    });
    const manifests = [...first.effects, ...effects].map((effect) => ('manifest' in effect ? effect.manifest : null));
    expect(manifests.map((manifest) => isOverruled(state.context, manifest as never))).toEqual([true, false]);
    expect(when([...appealed, ...events], rule(false)).events).toEqual([]);
    expect(when([...appealed, ...events], giveUp).events).toEqual([]);
  });

  test('that is upheld stays, and so does its manifest', () => {
    const { effects, state } = when(appealed, rule(false));
    expect(effects).toEqual([]);
    expect(state.context).toMatchObject({
      verdict: { winner: alice, honest: [alice], outliers: [bob], outputTokens: 10 },
      appeal: { state: 'upheld' },
    });
    expect(isOverruled(state.context, { kind: 'manifest', report: good.validated.report })).toBe(false);
  });

  test('that nobody decides about stands', () => {
    const { events, effects, state } = when(appealed, giveUp);
    expect(events).toMatchObject([{ type: 'AppealUndecided' }]);
    expect(effects).toEqual([]);
    expect(state.context).toMatchObject({
      verdict: { winner: alice, honest: [alice], outliers: [bob], outputTokens: 10 },
      appeal: { state: 'undecided' },
    });
  });

  test('that nobody appealed is not ruled on, whatever is told of it', () => {
    expect(when(validated, rule(true)).events).toEqual([]);
    expect(when(validated, giveUp).events).toEqual([]);
  });

  test('is ruled on once its appeal has ended, or the task is forgotten', () => {
    expect(isRuled(undefined)).toBe(true);
    expect(isRuled(given(...validated).context)).toBe(false);
    expect(isRuled(given(...appealed).context)).toBe(false);
    for (const end of [detours.overturned, detours.upheld, detours.undecided])
      expect(isRuled(given(...appealed, end).context)).toBe(true);
  });
});
