import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { alice, bob, bytes32, fact, session, task, vera, victor, router } from '../../test/actors/chain-facts.ts';
import { validationReceived } from '../../test/actors/samples/validator.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest, contentCid } from '../../src/core/cid.ts';
import { taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { zeroWei } from '../../src/core/wei.ts';
import type { ValidatorContext } from './context.ts';
import type { Score, ValidatorCommand } from './decide.ts';
import { validatorActor } from './definition.ts';
import type { ResultsScored, ValidatorEvent } from './events.ts';

const given = (...history: ValidatorEvent[]) =>
  new ActorRun<ValidatorContext, ValidatorCommand>(validatorActor, history);
const started: ValidatorEvent = { type: 'ValidatorStarted', validator: vera };
const { type: _, validator: __, ...request } = validationReceived;
const receive: ValidatorCommand = { type: 'ReceiveValidation', ...request, router };
const counts = { content: 'matches', promptTokens: 6, outputTokens: 10, tokens: 10 } as const;
const score: Score = {
  type: 'Score',
  task,
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
const see = (body: ChainFactBody): ValidatorCommand => ({ type: 'SeeFact', fact: fact(9, body) });
const about = { session, task } as const;

describe('a validation', () => {
  test('begins with reading the results', () => {
    const run = given(started);
    const { events, effects } = run.tell(receive);
    expect(events).toEqual([{ ...validationReceived, router }]);
    const { prompt, level, attestBy, results } = request;
    expect(effects).toEqual([{ kind: 'scoreResults', session, task, prompt, level, attestBy, results }]);
    expect(run.tell(receive).events).toEqual([]);
  });

  test('ends in an attestation whose report anyone can recompute', () => {
    const run = given(started, validationReceived);
    const { events, effects } = run.tell(score);
    const { report, reportCid } = events[0] as ResultsScored;
    expect(report).toMatchObject({ kind: 'report', v: 1, task, validator: vera, winner: alice, honest: [alice, bob] });
    expect(contentCid(report)).toBe(reportCid);
    expect(effects).toEqual([
      {
        kind: 'attestOnChain',
        task,
        winner: alice,
        honest: [alice, bob],
        promptTokens: 6,
        outputTokens: 10,
        report,
        reportDigest: cidToDigest(reportCid),
      },
    ]);
    expect(run.tell(score).events).toEqual([]);
    const attested = see({ type: 'ResultAttested', ...about, validator: vera, reportDigest: bytes32(1) });
    expect(run.types(see({ type: 'ResultAttested', ...about, validator: victor, reportDigest: bytes32(1) }))).toEqual(
      [],
    );
    expect(run.types(attested)).toEqual(['VerdictAttested']);
    expect(run.types(attested)).toEqual([]);
    expect(run.state.value).toBe('idle');
  });

  test('without a valid result attests nothing', () => {
    const run = given(started, validationReceived);
    const results = score.results.map((result) => ({ ...result, content: 'missing' as const }));
    const told = run.tell({ ...score, results });
    expect(told.events.map(({ type }) => type)).toEqual(['ResultsScored', 'ValidationFailed']);
    expect(told.effects).toEqual([]);
  });

  test.each(['ResultValidated', 'TaskSettled', 'TaskRefunded'] as const)('is closed by %s', (type) => {
    const facts = {
      ResultValidated: {
        type: 'ResultValidated',
        ...about,
        winner: alice,
        honest: [alice],
        promptTokens: 1,
        outputTokens: 1,
        reportDigest: bytes32(1),
      },
      TaskSettled: {
        type: 'TaskSettled',
        ...about,
        priceWei: zeroWei,
        returnedWei: zeroWei,
        payments: [],
        manifestDigest: bytes32(1),
      },
      TaskRefunded: { type: 'TaskRefunded', ...about, returnedWei: zeroWei, reason: 'expired' },
    } as const satisfies Record<string, ChainFactBody>;
    const run = given(started, validationReceived);
    expect(run.types(see(facts[type]))).toEqual(['ValidationClosed']);
    expect(run.tell(score)).toEqual({ events: [], effects: [], rejection: undefined });
  });

  test('fails where the effect it waits for is refused, and only then', () => {
    const failed = (effect: string): ValidatorCommand => ({
      type: 'EffectFailed',
      effect,
      task,
      code: 'chain_reverted',
      reason: 'AlreadyAttested',
    });
    const run = given(started, validationReceived);
    expect(run.types(failed('attestOnChain'))).toEqual([]);
    run.tell(score);
    expect(run.types(failed('scoreResults'))).toEqual([]);
    expect(run.types(failed('attestOnChain'))).toEqual(['ValidationFailed']);
  });
});

describe('a validator refuses', () => {
  test.each([
    ['requests before it is started', [], receive, 'validator_not_serving'],
    ['requests while it drains', [started, { type: 'ValidatorDraining' }], receive, 'validator_not_serving'],
    ['no results', [started], { ...receive, results: [] }, 'invalid_results'],
    [
      'two results of one miner',
      [started],
      { ...receive, results: [request.results[0], request.results[0]] },
      'invalid_results',
    ],
    ['scores of a task it does not have', [started], score, 'validation_not_found'],
    [
      'scores of other miners',
      [started, validationReceived],
      { ...score, results: score.results.toReversed() },
      'invalid_scores',
    ],
    ['a matrix of another size', [started, validationReceived], { ...score, similarities: [[1, 1]] }, 'invalid_scores'],
    [
      'a similarity that is no number',
      [started, validationReceived],
      {
        ...score,
        similarities: [
          [1, Number.NaN],
          [1, 1],
        ],
      },
      'invalid_scores',
    ],
    ['another validator', [started], { type: 'StartValidator', validator: victor }, 'wrong_stream'],
  ] as [string, ValidatorEvent[], ValidatorCommand, string][])('%s', (_name, history, command, code) => {
    expect(given(...history).tell(command).rejection?.code).toBe(code);
  });

  test('one validation more than its bound', () => {
    const open = Array.from({ length: limits.validatorOpenMax }, (_value, index): ValidatorEvent => ({
      ...validationReceived,
      task: taskId(session, bytes32(100 + index)),
    }));
    const run = given(started, ...open.slice(1));
    run.checksJson = false;
    expect(run.types({ ...receive, task: taskId(session, bytes32(7)) })).toEqual(['ValidationReceived']);
    expect(run.tell({ ...receive, task: taskId(session, bytes32(8)) }).rejection?.code).toBe('validator_busy');
  });
});

describe('a validator', () => {
  test('drains and starts again', () => {
    const run = given(started, validationReceived);
    run.tell({ type: 'DrainValidator' });
    expect(run.state.value).toBe('draining');
    run.tell({ type: 'EffectFailed', effect: 'scoreResults', task, code: 'content_not_found', reason: '' });
    expect(run.state.value).toBe('drained');
    expect(run.types({ type: 'StartValidator', validator: vera })).toEqual(['ValidatorStarted']);
    expect(run.types({ type: 'StartValidator', validator: vera })).toEqual([]);
  });

  test('keeps a bounded number of ended validations', () => {
    const run = given(started);
    run.checksJson = false;
    for (let index = 0; index <= limits.validatorEndedKept; index += 1) {
      const id = taskId(session, bytes32(100 + index));
      run.tell({ ...receive, task: id });
      run.tell({ type: 'EffectFailed', effect: 'scoreResults', task: id, code: 'x', reason: '' });
    }
    expect(Object.keys(run.state.context.validations)).toHaveLength(limits.validatorEndedKept);
  });
});
