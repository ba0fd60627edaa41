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
  olga,
  prompt,
  router,
  session,
} from '../../test/actors/chain-facts.ts';
import { driveRandomCommands, type Moment, type Reached, withSmallLimits } from '../../test/actors/random-commands.ts';
import type { ChainFactBody, Payment } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, lessWei, type Wei, wei, zeroWei } from '../../src/core/wei.ts';
import { type JobContext, jobKey, jobStates, type MinerContext, minerStates } from './context.ts';
import type { MinerCommand } from './commands.ts';
import { minerActor } from './definition.ts';
import { jobEventTypes } from './events.ts';
import { hasJobEnded, openJobCount } from './jobs.ts';
import { minerMachine } from './machine.ts';

withSmallLimits({ minerEndedJobsKept: 4, minerJobsMax: 6, outputTokensMax: 32, nodeModelsMax: 2 });

type Run = ActorRun<MinerContext, MinerCommand>;
type Expected = { earnedWei: Wei };
/** A task whose job goes on by what comes next, which of the ways where there are several, and how it is settled. */
type Next = { readonly task: TaskId; readonly attempt: number; readonly turn: number; readonly isBatched: boolean };
type Wanted = MinerCommand | { readonly next: Next } | { readonly about: ChainFactBody };

const tasks = [1, 2, 3, 4, 5, 6].map((value) => taskId(session, bytes32(value)));
const result = contentCid('a result');
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const anyTask = pick(...tasks);
const anyMiner = pick(alice, bob);
const attempt = pick(0, 0, 0, 1);
const when = fc.nat(60_000).map((ms) => genesisAt + ms);
const failure = { code: 'chain_reverted', reason: 'NotDue' } as const;
const payments = (own: number) =>
  [
    { to: alice, role: 'miner', amountWei: wei(own) },
    { to: bob, role: 'miner', amountWei: wei(7) },
    { to: alice, role: 'treasury', amountWei: wei(3) },
  ] as const;

const start: MinerCommand = { type: 'StartMiner', miner: alice, models: ['pebble-chat'], capacity: 3, appeals: true };

function receive({ task, attempt: of, turn, isBatched }: Next): MinerCommand {
  const job = { session, task, attempt: of, step: 0, model: 'pebble-chat', prompt, maxTokens: 16, router } as const;
  const prefix = turn % 3 === 0 ? { prefix: [1, 2] } : {};
  return { type: 'ReceiveJob', ...job, replyTo: 'pouw.v1.tok.x', ...prefix, ...(isBatched ? { batched: true } : {}) };
}

/** The effect whose outcome a job waits for. */
const awaited: Readonly<Record<string, string>> = {
  received: 'ackOnChain',
  running: 'infer',
  produced: 'ackOnChain',
  precommitting: 'precommitOnChain',
  revealing: 'revealOnChain',
};

/** What the chain, the router and the miner's own effects say next of a job that goes on. */
function nextOf(
  { value, context }: { value: string; context: JobContext },
  turn: number,
): MinerCommand | ChainFactBody {
  const { task, attempt: of, batched, dispute } = context;
  const job = { task, attempt: of } as const;
  const about = { session, task } as const;
  const produce: MinerCommand = {
    type: 'ProduceOutput',
    ...job,
    resultRoot: bytes32(8),
    result,
    tokens: 7,
    finishReason: 'stop',
  };
  const ack: ChainFactBody = { type: 'TaskAcked', ...about, miner: alice, precommitBy: genesisAt + turn };
  const settled = (own: number): ChainFactBody => {
    const money = { priceWei: wei(own + 10), returnedWei: zeroWei, payments: payments(own) } as const;
    return { type: 'TaskSettled', ...about, ...money, manifestDigest: bytes32(9) };
  };
  if (turn === 29) return { type: 'EffectFailed', ...job, effect: awaited[value] ?? 'appealOnChain', ...failure };
  switch (value) {
    case 'received':
      return turn % 2 === 0 ? produce : ack;
    case 'running':
      return produce;
    case 'produced':
      return ack;
    case 'precommitting':
      if (batched) return { type: 'SeeTaken', ...job, what: 'precommit' };
      return { type: 'TaskPrecommitted', ...about, miner: alice, hash: bytes32(3) };
    case 'precommitted':
      if (batched) return { type: 'SeeBound', ...job, revealBy: genesisAt + turn };
      return { type: 'AllPrecommitted', ...about, revealBy: genesisAt + turn };
    case 'revealing':
      if (batched) return { type: 'SeeTaken', ...job, what: 'reveal' };
      return { type: 'TaskRevealed', ...about, miner: alice, resultRoot: bytes32(8), resultDigest: bytes32(1) };
    default:
      break;
  }
  if (dispute?.state === 'judging')
    return { type: 'JudgeDispute', ...job, winner: bob, honest: turn % 2 ? [bob] : [alice, bob] };
  const appeal = { bondWei: wei(10), drawBy: genesisAt, attestBy: genesisAt } as const;
  if (dispute?.state === 'appealing')
    return { type: 'OutcomeAppealed', ...about, appellant: turn % 3 === 0 ? bob : alice, ...appeal };
  if (dispute === undefined && turn % 2 === 1)
    return {
      type: 'ResultValidated',
      ...about,
      winner: bob,
      honest: [bob],
      promptTokens: 4,
      outputTokens: 7,
      reportDigest: bytes32(4),
    };
  return settled(turn);
}

const ofJob = <Type extends string>(type: Type) => ({ type: fc.constant(type), task: anyTask, attempt });
const noise: fc.Arbitrary<Wanted> = fc.oneof(
  fc.record({
    type: fc.constant('StartMiner' as const),
    miner: pick(alice, alice, alice, bob),
    models: pick(['pebble-chat'], ['pebble-chat', 'other'], [], ['a', 'b', 'c']),
    capacity: pick(0, 1, 3, 6, 7, 1.5),
    appeals: fc.boolean(),
  }),
  fc.constant({ type: 'DrainMiner' } as const),
  fc.record({
    ...ofJob('ReceiveJob' as const),
    session: fc.constant(session),
    step: pick(0),
    model: pick('pebble-chat', 'unknown'),
    prompt: pick(prompt),
    maxTokens: pick(0, 1, 32, 33, 0.5),
    prefix: pick([], [1, 2]),
    router: pick(router),
    replyTo: pick('pouw.v1.tok.x'),
  }),
  fc.record({ ...ofJob('FailJob' as const), code: pick('inference_failed'), reason: pick('') }),
  fc.record({ ...ofJob('CancelJob' as const), reason: pick('client left') }),
  fc.record(ofJob('LetGoJob' as const)),
  fc.record({
    ...ofJob('ProduceOutput' as const),
    resultRoot: pick(bytes32(8), bytes32(9)),
    result: pick(result),
    tokens: pick(0, 7),
    finishReason: pick('stop', 'length'),
  }),
  fc.record({
    ...ofJob('EffectFailed' as const),
    effect: pick('ackOnChain', 'infer', 'precommitOnChain', 'revealOnChain', 'judgeOutcome', 'appealOnChain', 'other'),
    code: pick(failure.code),
    reason: pick(failure.reason),
  }),
  fc.record({ ...ofJob('SeeTaken' as const), what: pick('precommit', 'reveal') }),
  fc.record({ ...ofJob('SeeBound' as const), revealBy: when }),
  fc.record({ ...ofJob('JudgeDispute' as const), winner: pick(alice, bob, null), honest: pick([], [alice], [bob]) }),
) as fc.Arbitrary<Wanted>;

const ofTask = { session: pick(session), task: anyTask };
const facts: fc.Arbitrary<Wanted> = fc
  .oneof(
    fc.record({ type: pick('TaskAcked' as const), ...ofTask, miner: anyMiner, precommitBy: when }),
    fc.record({ type: pick('TaskPrecommitted' as const), ...ofTask, miner: anyMiner, hash: pick(bytes32(3)) }),
    fc.record({ type: pick('AllPrecommitted' as const), ...ofTask, revealBy: when }),
    fc.record({
      type: pick('MinerReassigned' as const),
      ...ofTask,
      miner: anyMiner,
      replacement: pick(null, carol),
      attempt: pick(1),
      oracle: pick(olga),
      ackBy: when,
    }),
    fc.record({
      type: pick('TaskRefunded' as const),
      ...ofTask,
      returnedWei: pick(zeroWei),
      reason: pick('cancelled' as const, 'expired' as const),
    }),
    fc.record({
      type: pick('TaskSettled' as const),
      ...ofTask,
      priceWei: pick(wei(9)),
      returnedWei: pick(zeroWei),
      payments: pick<readonly Payment[]>([], payments(5)),
      manifestDigest: pick(bytes32(9)),
    }),
    fc.record({ type: pick('SessionDraining' as const), session: pick(session) }),
  )
  .map((about) => ({ about }));

const next: fc.Arbitrary<Wanted> = fc
  .record({ task: anyTask, attempt, turn: fc.nat(30), isBatched: pick(true, false, false) })
  .map((one) => ({ next: one }));

function commandFor({ state }: Run, wanted: Wanted, inBlock: number): MinerCommand | undefined {
  if ('about' in wanted) return { type: 'SeeFact', fact: fact(inBlock, wanted.about) };
  if (!('next' in wanted)) return wanted;
  const job = state.context.jobs[jobKey(wanted.next)];
  if (state.value === 'draining' || state.value === 'drained') if (wanted.next.turn % 4 === 0) return start;
  if (job === undefined) return receive(wanted.next);
  if (hasJobEnded(job)) return undefined;
  const said = nextOf(job, wanted.next.turn);
  return minerCommands.has(said.type)
    ? (said as MinerCommand)
    : { type: 'SeeFact', fact: fact(inBlock, said as ChainFactBody) };
}
const minerCommands: ReadonlySet<string> = new Set([
  'EffectFailed',
  'ProduceOutput',
  'SeeTaken',
  'SeeBound',
  'JudgeDispute',
]);

/** What a settlement pays the miner for the jobs of the task whose result it has shown. */
function paidBy({ command, before }: Moment<MinerContext, MinerCommand>): Wei[] {
  if (command.type !== 'SeeFact' || command.fact.type !== 'TaskSettled') return [];
  const { task, payments: lines } = command.fact;
  const shown = Object.values(before.context.jobs).filter(
    ({ value, context }) => value === 'revealed' && context.task === task,
  );
  const own = lines.filter(({ to, role }) => to === alice && role === 'miner');
  return shown.flatMap(() => own.map(({ amountWei }) => amountWei));
}

const states: ReadonlySet<string> = new Set(jobStates.filter((state) => state !== 'new'));

function check({ state }: Run, moment: Moment<MinerContext, MinerCommand>, expected: Expected) {
  const { value, context } = state;
  const { jobs, ended, counts, earnedWei, capacity } = context;
  const all = Object.entries(jobs);
  const open = openJobCount(context);
  const hasBegun = moment.told.events.some(({ type }) => type === 'JobReceived');
  expected.earnedWei = addWei(expected.earnedWei, ...paidBy(moment));
  return {
    'every job is in a state that there is': all.every(([, job]) => states.has(job.value)),
    'every job has its own key': all.every(([key, job]) => jobKey(job.context) === key),
    'ended jobs are listed, and no others': all.every(([key, job]) => ended.includes(key) === hasJobEnded(job)),
    'jobs that are not done have earned nothing': all.every(
      ([, job]) => job.value === 'done' || job.context.earnedWei === zeroWei,
    ),
    'every job received is open or has ended':
      counts.received === counts.done + counts.cancelled + counts.failed + open,
    'it is at work while a job is open': (value === 'busy' || value === 'draining') === open > 0,
    'ended jobs are bounded': ended.length <= limits.minerEndedJobsKept,
    'open jobs are bounded': open <= limits.minerJobsMax && (!hasBegun || open <= capacity),
    'capacity and models are bounded': capacity <= limits.minerJobsMax && context.models.length <= limits.nodeModelsMax,
    'it has earned what settlements paid it': earnedWei === expected.earnedWei,
    'and no job more than all': !lessWei(earnedWei, addWei(...all.map(([, job]) => job.context.earnedWei))),
  };
}

describe('whatever is said to a miner, in any order,', () => {
  const wanted = fc.oneof(
    { weight: 9, arbitrary: next },
    { weight: 1, arbitrary: noise },
    { weight: 1, arbitrary: facts },
  );
  const numRuns = 200;
  let reached: Reached;

  test('its state is sound after every command', () => {
    reached = driveRandomCommands({
      actor: minerActor,
      machine: minerMachine,
      opening: [start],
      wanted,
      commandFor,
      expected: (): Expected => ({ earnedWei: zeroWei }),
      check,
      marks: ({ jobs, ended }) => [
        ...Object.values(jobs).map(({ value }) => `job:${value}`),
        ...Object.values(jobs).flatMap(({ context: { dispute } }) => (dispute ? [`dispute:${dispute.state}`] : [])),
        ...(ended.length === limits.minerEndedJobsKept ? ['full:ended'] : []),
      ],
      numRuns,
      seed: 20_263,
    });
    expect(reached.runs).toBe(numRuns);
  });

  test('and that has led to every event, every state and every reason to refuse', () => {
    expect(reached.names('event:')).toEqual([...jobEventTypes, 'MinerStarted', 'MinerDraining'].toSorted());
    expect(reached.names('state:')).toEqual([...minerStates].toSorted());
    expect(reached.names('refusal:')).toEqual([
      'invalid_capacity',
      'invalid_max_tokens',
      'invalid_prefix',
      'job_not_found',
      'miner_busy',
      'miner_not_serving',
      'model_not_served',
      'too_many_models',
      'wrong_stream',
    ]);
  });

  test('in most runs, so that the bounds and the ends of what goes on were reached', () => {
    expect(
      reached.rarerThan(
        0.5,
        [...states].filter((state) => state !== 'failed').map((state) => `job:${state}`),
      ),
    ).toEqual([]);
    expect(
      reached.rarerThan(0.02, [
        'job:failed',
        'full:ended',
        'state:draining',
        'effect:stopInference',
        'dispute:accepted',
        'dispute:appealed',
        'dispute:dropped',
      ]),
    ).toEqual([]);
  });
});
