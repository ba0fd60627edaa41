import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { alice, bob, bytes32, fact, prompt, session, task, vera, victor } from '../../test/actors/chain-facts.ts';
import { validationReceived } from '../../test/actors/samples/validator.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest, contentCid } from '../../src/core/cid.ts';
import { type Address, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { ValidatorContext } from './context.ts';
import type { ValidatorCommand } from './decide.ts';
import { validatorActor } from './definition.ts';
import type { ValidatorEvent } from './events.ts';
import type { JudgeHearingCommand } from './hearing-decide.ts';
import type { HearingJudged } from './hearing-events.ts';

const about = { session, task } as const;
const started: ValidatorEvent = { type: 'ValidatorStarted', validator: vera };
const given = (...history: ValidatorEvent[]) =>
  new ActorRun<ValidatorContext, ValidatorCommand>(validatorActor, [started, ...history]);
const see = (body: ChainFactBody): ValidatorCommand => ({ type: 'SeeFact', fact: fact(9, body) });
const drawn = (validators: readonly Address[], of = task) =>
  see({ type: 'AppealDrawn', session, task: of, beacon: bytes32(1), validators });
const called: ValidatorEvent = { type: 'HearingCalled', ...about, seen: { block: 9, txHash: bytes32(1) } as never };
const counts = { content: 'matches', promptTokens: 6, outputTokens: 10, tokens: 10 } as const;
const judge: JudgeHearingCommand = {
  type: 'JudgeHearing',
  task,
  prompt,
  similarityBps: 8_000,
  level: 1,
  shown: validationReceived.results,
  results: [
    { miner: alice, ...counts },
    { miner: bob, ...counts },
  ],
  similarities: [
    [1, 0.9],
    [0.9, 1],
  ],
  promptTokens: 6,
};
const failed = (effect: string): ValidatorCommand => {
  return { type: 'EffectFailed', effect, task, code: 'chain_reverted', reason: 'no' };
};
const found = { winner: alice, honest: [alice], promptTokens: 6, outputTokens: 10, reportDigest: bytes32(3) } as const;
const decided = see({ type: 'AppealDecided', ...about, overturned: true, ...found });

describe('a validator that is drawn for an appeal', () => {
  test('judges the task, and attests what it finds', () => {
    const run = given();
    const told = run.tell(drawn([victor, vera]));
    expect(told.events.map(({ type }) => type)).toEqual(['HearingCalled']);
    expect(told.effects).toEqual([{ kind: 'judgeHearing', ...about }]);
    expect(run.types(drawn([vera])), 'it is drawn still').toEqual([]);
    const { events, effects } = run.tell(judge);
    const { report, reportCid } = events[0] as HearingJudged;
    expect(report).toMatchObject({ kind: 'report', task, validator: vera, winner: alice, honest: [alice, bob] });
    expect(contentCid(report)).toBe(reportCid);
    const verdict = { winner: alice, honest: [alice, bob], promptTokens: 6, outputTokens: 10 };
    const reportDigest = cidToDigest(reportCid);
    expect(effects).toEqual([{ kind: 'attestOnAppeal', ...about, ...verdict, report, reportDigest }]);
    expect(run.types(judge), 'it has judged').toEqual([]);
    const said = (validator: Address) => see({ type: 'AppealAttested', ...about, validator, reportDigest });
    expect(run.types(said(victor))).toEqual([]);
    expect(run.types(said(vera))).toEqual(['HearingAttested']);
    expect(run.types(decided), 'it has done its part').toEqual([]);
  });

  test('is let go where another takes its place, or the appeal ends without it', () => {
    const settled = { priceWei: wei(1), returnedWei: wei(0), payments: [], manifestDigest: bytes32(4) };
    for (const end of [drawn([victor]), decided, see({ type: 'TaskSettled', ...about, ...settled })]) {
      const run = given(called);
      expect(run.types(end)).toEqual(['HearingClosed']);
      expect(run.types(judge)).toEqual([]);
      expect(run.types(drawn([vera])), 'it does not begin again').toEqual([]);
    }
  });

  test('says so where it finds nobody honest, or the chain would not have its word', () => {
    const nothing = judge.results.map((result) => ({ ...result, content: 'missing' as const }));
    const poor = given(called);
    expect(poor.types({ ...judge, results: nothing })).toEqual(['HearingJudged', 'HearingFailed']);
    const run = given(called);
    expect(run.types(failed('attestOnAppeal')), 'it has not attested').toEqual([]);
    run.tell(judge);
    expect(run.types(failed('attestOnAppeal'))).toEqual(['HearingFailed']);
  });

  test('refuses scores that are not of the results, and those of no appeal', () => {
    expect(given(called).tell({ ...judge, similarities: [[1]] }).rejection).toMatchObject({ code: 'invalid_scores' });
    expect(given().tell(judge).rejection).toMatchObject({ code: 'hearing_not_found' });
    const twice = { shown: [judge.shown[0]!, judge.shown[0]!], results: [judge.results[0]!, judge.results[0]!] };
    expect(given(called).tell({ ...judge, ...twice }).rejection).toMatchObject({ code: 'invalid_scores' });
  });

  test('judges also while a router keeps it at the same task, and while it drains', () => {
    const run = given({ ...validationReceived });
    expect(run.types(drawn([vera]))).toEqual(['HearingCalled']);
    run.tell({ type: 'DrainValidator' });
    expect(run.types(judge)).toEqual(['HearingJudged']);
    expect(run.state.value).toBe('draining');
    const settled = { priceWei: wei(1), returnedWei: wei(0), payments: [], manifestDigest: bytes32(4) };
    expect(run.types(see({ type: 'TaskSettled', ...about, ...settled })), 'it ends both').toEqual([
      'HearingClosed',
      'ValidationClosed',
    ]);
    expect(run.state.value).toBe('drained');
  });
});

test('a validator that is not drawn, drains, or has too many of them in hand leaves an appeal to the others', () => {
  expect(given().types(drawn([victor]))).toEqual([]);
  const drained = given();
  drained.tell({ type: 'DrainValidator' });
  expect(drained.types(drawn([vera]))).toEqual([]);
  const full = given();
  full.checksJson = false;
  for (let index = 0; index < limits.validatorOpenMax; index += 1) {
    expect(full.types(drawn([vera], taskId(session, bytes32(100 + index))))).toEqual(['HearingCalled']);
  }
  expect(full.types(drawn([vera]))).toEqual([]);
});

test('so many ended hearings are remembered', () => {
  const run = given();
  run.checksJson = false;
  for (let index = 0; index < limits.validatorEndedKept + 3; index += 1) {
    const of = taskId(session, bytes32(100 + index));
    run.tell(drawn([vera], of));
    run.tell(drawn([victor], of));
  }
  expect(Object.keys(run.state.context.hearings)).toHaveLength(limits.validatorEndedKept);
  expect(run.state.context.heard).toHaveLength(limits.validatorEndedKept);
});
