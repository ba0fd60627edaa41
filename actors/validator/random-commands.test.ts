import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActorRun } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  fact,
  genesisAt,
  prompt,
  router,
  session,
  vera,
  victor,
} from '../../test/actors/chain-facts.ts';
import { driveRandomCommands, type Moment, type Reached, withSmallLimits } from '../../test/actors/random-commands.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import type { Address } from '../../src/core/ids.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import type { ContentState, ScoredResult } from './checks/check.ts';
import {
  hearingStates,
  type RevealedResult,
  validationStates,
  type ValidatorContext,
  validatorStates,
} from './context.ts';
import type { ValidatorCommand } from './decide.ts';
import { validatorActor } from './definition.ts';
import { validationEventTypes, type ValidatorEvent } from './events.ts';
import { hearingEventTypes } from './hearing-events.ts';
import { hasHearingEnded, openHearingCount } from './hearings.ts';
import { validatorMachine } from './machine.ts';
import { hasValidationEnded, openValidationCount } from './validations.ts';

withSmallLimits({ validatorOpenMax: 2, validatorEndedKept: 2, redundancyMax: 2 });

type Run = ActorRun<ValidatorContext, ValidatorCommand>;
/** A task whose validation or hearing goes on by what comes next, and which of the ways where there are several. */
type Next = { readonly task: TaskId; readonly turn: number; readonly isHearing: boolean };
type Wanted = ValidatorCommand | { readonly about: ChainFactBody } | { readonly next: Next };

const tasks = [1, 2, 3, 4].map((value) => taskId(session, bytes32(value)));
const result = contentCid('a result');
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const start: ValidatorCommand = { type: 'StartValidator', validator: vera };

const revealed = (...miners: readonly Address[]): RevealedResult[] =>
  miners.map((miner) => ({ miner, attempt: 0, resultRoot: bytes32(8), result }));
const scored = (content: ContentState, ...miners: readonly Address[]): ScoredResult[] =>
  miners.map((miner) => ({ miner, content, promptTokens: 6, outputTokens: 10, tokens: 10 }));
/** How alike answers are, each pair as much. */
const alike = (count: number, similarity: number): number[][] =>
  Array.from({ length: count }, (_row, i) => Array.from({ length: count }, (_one, j) => (i === j ? 1 : similarity)));
const rules = { prompt, similarityBps: 8_000, level: 1 } as const;
const batch = { router, poster: router, slots: [{ miner: alice, attempt: 0, hash: bytes32(3) }] } as const;

function asked(task: TaskId, results: readonly RevealedResult[], isBatched: boolean): ValidatorCommand {
  const of = { session, task, ...rules, attestBy: genesisAt, results, router } as const;
  return { type: 'ReceiveValidation', ...of, ...(isBatched ? { batch } : {}) };
}

/** What the validator finds: mostly two answers that agree, else some that do not, or that nobody delivers. */
function found(turn: number) {
  const content = turn % 5 === 0 ? 'missing' : 'matches';
  return {
    results: scored(content, alice, bob),
    similarities: alike(2, turn % 3 === 0 ? 0.2 : 0.9),
    promptTokens: turn % 4 === 0 ? null : 6,
  } as const;
}

const counts = { promptTokens: 6, outputTokens: 10, reportDigest: bytes32(4) } as const;
const settled = { priceWei: wei(9), returnedWei: zeroWei, payments: [], manifestDigest: bytes32(9) } as const;
const failed = { code: 'chain_reverted', reason: 'NotDue' } as const;

function nextOfValidation(
  { validations }: ValidatorContext,
  { task, turn }: Next,
): ValidatorCommand | ChainFactBody | undefined {
  const known = validations[task];
  const about = { session, task } as const;
  if (known === undefined) return asked(task, revealed(alice, bob), turn % 3 === 0);
  if (hasValidationEnded(known)) return undefined;
  if (turn === 29)
    return {
      type: 'EffectFailed',
      effect: known.value === 'scoring' ? 'scoreResults' : 'attestOnChain',
      task,
      ...failed,
    };
  if (turn === 28) return { type: 'ResultValidated', ...about, winner: alice, honest: [alice], ...counts };
  if (known.value === 'scoring') return { type: 'Score', task, ...found(turn) };
  if (known.context.batch !== undefined) return { type: 'SeeTaken', task };
  return { type: 'ResultAttested', ...about, validator: turn % 4 === 0 ? victor : vera, reportDigest: bytes32(4) };
}

function nextOfHearing(
  { hearings }: ValidatorContext,
  { task, turn }: Next,
): ValidatorCommand | ChainFactBody | undefined {
  const known = hearings[task];
  const about = { session, task } as const;
  const drawn = (...validators: readonly Address[]): ChainFactBody => ({
    type: 'AppealDrawn',
    ...about,
    beacon: bytes32(2),
    validators,
  });
  if (known === undefined) return drawn(vera, victor);
  if (hasHearingEnded(known)) return undefined;
  if (turn === 29)
    return {
      type: 'EffectFailed',
      effect: known.value === 'judging' ? 'judgeHearing' : 'attestOnAppeal',
      task,
      ...failed,
    };
  if (turn === 28) return drawn(victor);
  if (turn === 27) return { type: 'AppealUndecided', ...about };
  if (known.value === 'judging')
    return { type: 'JudgeHearing', task, ...rules, shown: revealed(alice, bob), ...found(turn) };
  return { type: 'AppealAttested', ...about, validator: turn % 4 === 0 ? victor : vera, reportDigest: bytes32(4) };
}

const anyTask = pick(...tasks);
const anyMiners = pick([], [alice], [alice, bob], [alice, alice], [alice, bob, carol]);
const anyScores = fc
  .tuple(
    anyMiners,
    pick('matches' as const, 'proven' as const, 'differs' as const, 'missing' as const),
    pick(0.9, 0, Number.NaN),
    pick(1, 2),
  )
  .map(([miners, content, similarity, size]) => {
    return { results: scored(content, ...miners), similarities: alike(size, similarity), promptTokens: null };
  });
const about = (body: fc.Arbitrary<ChainFactBody>): fc.Arbitrary<Wanted> => body.map((one) => ({ about: one }));
const noise: fc.Arbitrary<Wanted> = fc.oneof(
  fc.record({ type: pick('StartValidator' as const), validator: pick(vera, vera, victor) }),
  pick({ type: 'DrainValidator' } as const),
  fc
    .tuple(anyTask, anyMiners, fc.boolean())
    .map(([task, miners, isBatched]) => asked(task, revealed(...miners), isBatched)),
  fc.tuple(anyTask, anyScores).map(([task, scores]): ValidatorCommand => ({ type: 'Score', task, ...scores })),
  fc.tuple(anyTask, anyScores, anyMiners).map(([task, scores, miners]): ValidatorCommand => {
    return { type: 'JudgeHearing', task, ...rules, shown: revealed(...miners), ...scores };
  }),
  // As many of each as of the other, so that only who they are of may be wrong.
  fc.tuple(anyTask, anyMiners).map(([task, miners]): ValidatorCommand => {
    const scores = { results: scored('matches', ...miners), similarities: alike(miners.length, 0.9), promptTokens: 6 };
    return { type: 'JudgeHearing', task, ...rules, shown: revealed(...miners), ...scores };
  }),
  anyTask.map((task): ValidatorCommand => ({ type: 'SeeTaken', task })),
  fc
    .tuple(anyTask, pick('scoreResults', 'attestOnChain', 'judgeHearing', 'attestOnAppeal', 'other'))
    .map(([task, effect]): ValidatorCommand => ({ type: 'EffectFailed', effect, task, ...failed })),
  about(anyTask.map((task) => ({ type: 'TaskSettled', session, task, ...settled }))),
  about(anyTask.map((task) => ({ type: 'TaskRefunded', session, task, returnedWei: zeroWei, reason: 'expired' }))),
  about(pick({ type: 'SessionDraining', session } as const)),
  about(
    anyTask.map((task) => ({
      type: 'AppealDecided',
      session,
      task,
      overturned: true,
      winner: bob,
      honest: [bob],
      ...counts,
    })),
  ),
);
const next = fc.record({ task: anyTask, turn: fc.nat(29), isHearing: fc.boolean() }).map((one) => ({ next: one }));

const commandTypes: ReadonlySet<string> = new Set<ValidatorCommand['type']>([
  'ReceiveValidation',
  'Score',
  'EffectFailed',
  'SeeTaken',
  'JudgeHearing',
]);

function commandFor({ state: { value, context } }: Run, wanted: Wanted, inBlock: number): ValidatorCommand | undefined {
  if ('about' in wanted) return { type: 'SeeFact', fact: fact(inBlock, wanted.about) };
  if (!('next' in wanted)) return wanted;
  if (value === 'drained' || (value === 'draining' && wanted.next.turn % 4 === 0)) return start;
  const said = wanted.next.isHearing ? nextOfHearing(context, wanted.next) : nextOfValidation(context, wanted.next);
  if (said === undefined || commandTypes.has(said.type)) return said as ValidatorCommand | undefined;
  return { type: 'SeeFact', fact: fact(inBlock, said as ChainFactBody) };
}

const states: ReadonlySet<string> = new Set(validationStates.filter((state) => state !== 'new'));
const hearing: ReadonlySet<string> = new Set(hearingStates.filter((state) => state !== 'new'));

/** A report names each miner it was made about once, and its winner is honest. */
function isReport(event: ValidatorEvent): boolean {
  if (event.type !== 'ResultsScored' && event.type !== 'HearingJudged') return true;
  const { winner, honest, outliers } = event.report;
  const named = [...honest, ...outliers.map(({ miner }) => miner)];
  const isEach = new Set(named).size === named.length && named.length === event.results.length;
  return isEach && (winner === null || honest.includes(winner)) && event.reportCid === contentCid(event.report);
}

function check({ state }: Run, { told, command }: Moment<ValidatorContext, ValidatorCommand>) {
  const { value, context } = state;
  const { validations, ended, hearings, heard, counts: count } = context;
  const all = Object.entries(validations);
  const calls = Object.entries(hearings);
  const [open, openHearings] = [openValidationCount(context), openHearingCount(context)];
  const end = command.type === 'SeeFact' && command.fact.type === 'TaskSettled' ? command.fact.task : undefined;
  const [left, leftHearing] = end === undefined ? [] : [validations[end], hearings[end]];
  return {
    'every validation is in a state that there is': all.every(([, one]) => states.has(one.value)),
    'every hearing is in a state that there is': calls.every(([, one]) => hearing.has(one.value)),
    'every one has its own key':
      all.every(([task, one]) => one.context.task === task) && calls.every(([task, one]) => one.context.task === task),
    'those that have ended are listed, and no others':
      all.every(([task, one]) => ended.includes(task as TaskId) === hasValidationEnded(one)) &&
      calls.every(([task, one]) => heard.includes(task as TaskId) === hasHearingEnded(one)),
    'every validation received is open or has ended':
      count.received === count.attested + count.closed + count.failed + open,
    'it is at work while a validation is open': (value === 'busy' || value === 'draining') === open > 0,
    'what is open is bounded': open <= limits.validatorOpenMax && openHearings <= limits.validatorOpenMax,
    'what has ended is bounded': ended.length <= limits.validatorEndedKept && heard.length <= limits.validatorEndedKept,
    'a report is about each result once': (told.events as readonly ValidatorEvent[]).every(isReport),
    'only what has a winner is attested': told.effects.every(
      (effect) => !effect.kind.startsWith('attest') || (effect as { winner?: unknown }).winner !== null,
    ),
    'nothing goes on of a task that is settled':
      (left === undefined || hasValidationEnded(left)) && (leftHearing === undefined || hasHearingEnded(leftHearing)),
  };
}

describe('whatever is said to a validator, in any order,', () => {
  const wanted = fc.oneof({ weight: 10, arbitrary: next }, { weight: 2, arbitrary: noise });
  const numRuns = 200;
  let reached: Reached;

  test('its state is sound after every command', () => {
    reached = driveRandomCommands({
      actor: validatorActor,
      machine: validatorMachine,
      opening: [start],
      wanted,
      commandFor,
      expected: () => undefined,
      check,
      marks: ({ validations, ended, hearings, heard }) => [
        ...Object.values(validations).map(({ value }) => `validation:${value}`),
        ...Object.values(hearings).map(({ value }) => `hearing:${value}`),
        ...(ended.length === limits.validatorEndedKept ? ['full:ended'] : []),
        ...(heard.length === limits.validatorEndedKept ? ['full:heard'] : []),
      ],
      numRuns,
      seed: 20_266,
    });
    expect(reached.runs).toBe(numRuns);
  });

  test('and that has led to every event, every state and every reason to refuse', () => {
    expect(reached.names('event:')).toEqual(
      [...validationEventTypes, ...hearingEventTypes, 'ValidatorStarted', 'ValidatorDraining'].toSorted(),
    );
    expect(reached.names('state:')).toEqual([...validatorStates].toSorted());
    expect(reached.names('refusal:')).toEqual([
      'hearing_not_found',
      'invalid_results',
      'invalid_scores',
      'validation_not_found',
      'validator_busy',
      'validator_not_serving',
      'wrong_stream',
    ]);
  });

  test('in most runs, so that the bounds and the ends of what goes on were reached', () => {
    expect(
      reached.rarerThan(
        0.5,
        [...states]
          .map((state) => `validation:${state}`)
          .concat(
            [...hearing].map((state) => `hearing:${state}`),
            ['full:ended', 'full:heard', 'effect:attestOnChain', 'effect:attestOnAppeal'],
          ),
      ),
    ).toEqual([]);
    expect(reached.rarerThan(0.02, ['state:draining', 'state:drained', 'refusal:invalid_scores'])).toEqual([]);
  });
});
