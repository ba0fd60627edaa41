import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActorRun } from '../../test/actors/actor-run.ts';
import {
  address,
  alice,
  bob,
  bytes32,
  carol,
  client,
  dave,
  fact,
  genesisAt,
  olga,
  otto,
  terms,
  vera,
} from '../../test/actors/chain-facts.ts';
import { driveRandomCommands, type Moment, type Reached, withSmallLimits } from '../../test/actors/random-commands.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import type { Folded } from '../../src/core/fold.ts';
import { type Address, sessionId, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import { type OracleContext, oracleStates, type WatchContext, watchStates } from './context.ts';
import { deadlinesOf } from './deadlines.ts';
import type { OracleCommand } from './decide.ts';
import { oracleActor } from './definition.ts';
import { type DeadlineEnforced, type EnforcementFailed, type OracleEvent, watchEventTypes } from './events.ts';
import { oracleMachine } from './machine.ts';

withSmallLimits({ oracleWatchesMax: 2, oracleEndedKept: 2, oracleSessionsMax: 2, oraclesMax: 3 });

type Run = ActorRun<OracleContext, OracleCommand>;
/** A task that goes on by what comes next, and which of the ways where there are several. */
type Next = { readonly task: number; readonly turn: number };
/** A deadline that has come, of those that are waited for; or the answer to what was asked about one. */
type Due = { readonly place: number; readonly what: 'fire' | 'pass' | 'lag' | 'refuse'; readonly turn: number };
type Wanted = OracleCommand | { readonly about: ChainFactBody } | { readonly next: Next } | { readonly due: Due };

const sessions = [1, 2, 3].map((number) => sessionId(31_337, address(0x99), number));
const tasks = [0, 1, 2, 3].map((value) => {
  const session = sessions[value % 2]!;
  return { session, task: taskId(session, bytes32(value)) };
});
const ranking = [alice, bob, carol, dave];
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const sliceMs = 10_000;
const start: OracleCommand = { type: 'StartOracle', oracle: olga, sliceMs };
const see = (inBlock: number, body: ChainFactBody): OracleCommand => ({ type: 'SeeFact', fact: fact(inBlock, body) });
const opened = (session: (typeof sessions)[number]): ChainFactBody => ({
  type: 'SessionOpened',
  session,
  client,
  terms,
});

const joined = (node: Address): ChainFactBody => {
  const rest = { number: 1, key: bytes32(1), stakeWei: wei(200), metadataUri: '' };
  return { type: 'NodeRegistered', node, roles: ['oracle'], ...rest };
};

function submitted(of: (typeof tasks)[number], turn: number): ChainFactBody {
  const asked = { requestId: bytes32(1), by: client, promptDigest: bytes32(2), maxTokens: 8, maxPriceWei: wei(9) };
  const after = turn % 5 === 0 ? { step: 1, after: [tasks[turn % tasks.length]!.task] } : {};
  return { type: 'TaskSubmitted', ...of, ...asked, ...after };
}

/** What the chain says next of a watched task. Deadlines are soon, so that they pass while the run goes on. */
function nextOf(
  of: (typeof tasks)[number],
  watch: Folded<WatchContext> | undefined,
  run: Run,
  turn: number,
): OracleCommand | ChainFactBody {
  const soon = run.now + 5_000 + turn * 100;
  if (watch === undefined) return submitted(of, turn);
  const { value, context } = watch;
  const at = (phase: string) => context.slots.find((slot) => slot.phase === phase)?.miner;
  const reassigned = (miner: Address | undefined): ChainFactBody => {
    const replacement =
      ranking.find((one) => !context.unfit.includes(one) && context.slots.every((slot) => slot.miner !== one)) ?? null;
    return {
      type: 'MinerReassigned',
      ...of,
      miner: miner ?? alice,
      replacement,
      attempt: 1,
      oracle: otto,
      ackBy: soon,
    };
  };
  switch (value) {
    case 'queued': {
      const drawn = { beaconBlock: 2, beacon: bytes32(2), selectionDigest: bytes32(3), ackBy: soon };
      const assigned = { type: 'MinersAssigned', ...of, miners: [alice, bob], validators: [vera], ...drawn } as const;
      return { type: 'SeeAssignment', fact: fact(turn + 30, assigned), ranking: turn % 4 === 0 ? [] : ranking };
    }
    case 'working': {
      const [assigned, acked] = [at('assigned'), at('acked')];
      if (turn % 6 === 0) return reassigned(assigned ?? acked);
      if (assigned !== undefined) return { type: 'TaskAcked', ...of, miner: assigned, precommitBy: soon };
      if (acked !== undefined) return { type: 'TaskPrecommitted', ...of, miner: acked, hash: bytes32(3) };
      return { type: 'AllPrecommitted', ...of, revealBy: soon };
    }
    case 'revealing': {
      const miner = at('precommitted');
      if (turn % 8 === 0) return reassigned(miner);
      if (miner === undefined) return { type: 'AllRevealed', ...of, attestBy: soon };
      return { type: 'TaskRevealed', ...of, miner, resultRoot: bytes32(8), resultDigest: bytes32(1) };
    }
    case 'attesting': {
      const counts = { promptTokens: 4, outputTokens: 7, reportDigest: bytes32(4) };
      return { type: 'ResultValidated', ...of, winner: alice, honest: [alice], ...counts };
    }
    case 'appealed':
      return { type: 'AppealUndecided', ...of };
    default: {
      const settled = { priceWei: wei(9), returnedWei: zeroWei, payments: [], manifestDigest: bytes32(9) };
      const appealed = { appellant: bob, bondWei: wei(10), drawBy: soon, attestBy: soon + 9_000 };
      const again = context.appealedAt === 0 && turn % 3 !== 0;
      return again ? { type: 'OutcomeAppealed', ...of, ...appealed } : { type: 'TaskSettled', ...of, ...settled };
    }
  }
}

/** What is asked of an oracle about a deadline that stands: the timer, the chain's time, or that the chain would not have it. */
function dueOf(run: Run, { place, what, turn }: Due): OracleCommand | undefined {
  if (what === 'fire') {
    const timers = run.timers();
    const timer = timers[place % Math.max(timers.length, 1)];
    if (timer === undefined) return undefined;
    // Mostly the clock has gone on to it.
    if (turn % 4 !== 0) run.now = Math.max(run.now, timer.at);
    return oracleActor.timerCommand(timer);
  }
  const stage = what === 'refuse' ? 'enforced' : 'checking';
  const waiting = Object.entries(run.state.context.watches).flatMap(([task, watch]) =>
    deadlinesOf(watch)
      .filter(({ name }) => watch.context.enforcements[name]?.stage === stage)
      .map((deadline) => ({ task: task as TaskId, deadline })),
  );
  const found = waiting[place % Math.max(waiting.length, 1)];
  if (found === undefined) return undefined;
  const { task, deadline } = found;
  const of = { task, deadline: deadline.name } as const;
  if (what === 'refuse')
    return { type: 'EffectFailed', effect: 'reassignOnChain', ...of, code: 'chain_reverted', reason: 'NotDue' };
  return { type: 'CheckDeadline', ...of, blockAt: deadline.at + (what === 'pass' ? 1_000 : -turn * 1_000) };
}

const anyOf = pick(...tasks);
const anyMiner = pick(...ranking);
const when = fc.nat(90_000).map((ms) => genesisAt + ms);
const about = (body: fc.Arbitrary<ChainFactBody>): fc.Arbitrary<Wanted> => body.map((one) => ({ about: one }));
const noise: fc.Arbitrary<Wanted> = fc.oneof(
  fc.record({
    type: pick('StartOracle' as const),
    oracle: pick(olga, olga, otto),
    sliceMs: pick(0, 1.5, 8_000, sliceMs),
  }),
  about(pick(olga, otto, address(0x33), address(0x34)).map(joined)),
  about(fc.record({ type: pick('NodeActiveSet' as const), node: pick(olga, otto, otto, alice), active: fc.boolean() })),
  about(pick(...sessions).map(opened)),
  about(pick(...sessions).map((session) => ({ type: 'SessionClosed', session, refundedWei: zeroWei }) as const)),
  about(
    fc.tuple(pick(...sessions), pick(5, 9)).map(([session, ackTimeoutS]) => {
      return { type: 'SessionUpdated', session, version: 2, terms: { ...terms, ackTimeoutS } };
    }),
  ),
  about(fc.tuple(anyOf, fc.nat(20)).map(([of, turn]) => submitted(of, turn))),
  about(
    fc
      .tuple(anyOf, anyMiner, when)
      .map(([of, miner, precommitBy]) => ({ type: 'TaskAcked', ...of, miner, precommitBy })),
  ),
  about(fc.tuple(anyOf, when).map(([of, revealBy]) => ({ type: 'AllPrecommitted', ...of, revealBy }))),
  about(anyOf.map((of) => ({ type: 'TaskRefunded', ...of, returnedWei: zeroWei, reason: 'expired' }))),
  fc.record({ type: pick('FireTimer' as const), timer: pick('', 'x', '/', `${tasks[0]!.task}/ack:${alice}`) }),
  anyOf.map((of): OracleCommand => {
    const assigned = { type: 'MinersAssigned', ...of, miners: [alice], validators: [vera] } as const;
    const drawn = { beaconBlock: 2, beacon: bytes32(2), selectionDigest: bytes32(3), ackBy: genesisAt };
    return { type: 'SeeAssignment', fact: fact(3, { ...assigned, ...drawn }), ranking };
  }),
);

const next = fc.record({ task: fc.nat(tasks.length - 1), turn: fc.nat(30) }).map((one) => ({ next: one }));
const due = fc
  .record({
    place: fc.nat(7),
    what: pick<Due['what']>('fire', 'fire', 'fire', 'pass', 'pass', 'pass', 'lag', 'refuse', 'refuse'),
    turn: fc.nat(30),
  })
  .map((one) => ({ due: one }));

function commandFor(run: Run, wanted: Wanted, inBlock: number): OracleCommand | undefined {
  if ('about' in wanted) return see(inBlock, wanted.about);
  if ('due' in wanted) return dueOf(run, wanted.due);
  if (!('next' in wanted)) return wanted;
  const of = tasks[wanted.next.task]!;
  const said = nextOf(of, run.state.context.watches[of.task], run, wanted.next.turn);
  return said.type === 'SeeAssignment' ? said : see(inBlock, said as ChainFactBody);
}

function takesPart({ oracle, oracles }: OracleContext): boolean {
  return oracle !== null && oracles[oracle] === true;
}

/** The chain is told only what is due by the clock and by the chain, and takes the next by rank who was not in the task. */
function isDue({ command, before, now }: Moment<OracleContext, OracleCommand>, event: DeadlineEnforced): boolean {
  const watch = before.context.watches[event.task];
  const deadline = watch === undefined ? undefined : deadlinesOf(watch).find(({ name }) => name === event.deadline);
  if (watch === undefined || deadline === undefined || command.type !== 'CheckDeadline') return false;
  const { slots, unfit, ranking: order } = watch.context;
  const { replacement } = event;
  const isFit =
    replacement === null || !(unfit.includes(replacement) || slots.some(({ miner }) => miner === replacement));
  const isRanked = replacement === null || order.includes(replacement);
  const isWatching = takesPart(before.context);
  return isWatching && command.blockAt > deadline.at && now > deadline.at && isFit && isRanked;
}

const states: ReadonlySet<string> = new Set(watchStates.filter((state) => state !== 'new' && state !== 'ended'));
const stages: ReadonlySet<string> = new Set(['checking', 'enforced', 'waiting']);

function check({ state }: Run, moment: Moment<OracleContext, OracleCommand>): Readonly<Record<string, boolean>> {
  const { value, context } = state;
  const watches = Object.entries(context.watches);
  const events = moment.told.events as readonly OracleEvent[];
  const enforced = events.filter((event) => event.type === 'DeadlineEnforced');
  const put = events.filter((event) => event.type === 'EnforcementFailed' || event.type === 'DeadlineDeferred');
  const waitMs = put.map(({ retryAt }: Pick<EnforcementFailed, 'retryAt'>) => retryAt - moment.now);
  const all = watches.map(([, watch]) => watch);
  const active = Object.keys(context.oracles).filter((oracle) => context.oracles[oracle as Address] === true);
  return {
    'every watch is in a state that there is': all.every((watch) => states.has(watch.value)),
    'every watch has its own key': watches.every(([task, watch]) => watch.context.task === task),
    'none goes on that has ended': watches.every(([task]) => !context.ended.includes(task as TaskId)),
    'it watches while there is something to watch': (value === 'watching') === watches.length > 0,
    'those lead that are active, in order': active.toSorted().join() === context.active.join(),
    'watches and what has ended are bounded':
      watches.length <= limits.oracleWatchesMax && context.ended.length <= limits.oracleEndedKept,
    'sessions and oracles are bounded':
      Object.keys(context.sessions).length <= limits.oracleSessionsMax &&
      Object.keys(context.oracles).length <= limits.oraclesMax,
    'only what is due is enforced': enforced.every((event) => isDue(moment, event)),
    'what is put off is looked at again in time': waitMs.every(
      (ms) => ms >= limits.oracleRetryMsMin && ms <= limits.oracleRetryMsMax,
    ),
    'every deadline is in a stage that there is': all.every((watch) =>
      Object.values(watch.context.enforcements).every(({ stage, refusals }) => stages.has(stage) && refusals >= 0),
    ),
    'who takes part looks at every deadline that is not in hand': !takesPart(context) || isLookedAt(state),
  };
}

function isLookedAt(state: Folded<OracleContext>): boolean {
  const timers = new Set(oracleActor.timers(state).map(({ id }) => id));
  return Object.entries(state.context.watches).every(([task, watch]) =>
    deadlinesOf(watch).every(({ name }) => {
      const isInHand = ['checking', 'enforced'].includes(watch.context.enforcements[name]?.stage ?? 'waiting');
      return timers.has(`${task}/${name}`) !== isInHand;
    }),
  );
}

describe('whatever is said to an oracle, in any order,', () => {
  const wanted = fc.oneof(
    { weight: 24, arbitrary: next },
    { weight: 16, arbitrary: due },
    { weight: 1, arbitrary: noise },
  );
  const numRuns = 400;
  let reached: Reached;

  test('its state is sound after every command', () => {
    reached = driveRandomCommands({
      actor: oracleActor,
      machine: oracleMachine,
      opening: [start, see(1, joined(olga)), see(1, joined(otto)), see(1, opened(sessions[0]!))],
      wanted,
      commandFor,
      expected: () => undefined,
      check,
      marks: ({ watches, ended }) => [
        ...Object.values(watches).map(({ value }) => `watch:${value}`),
        ...(Object.keys(watches).length === limits.oracleWatchesMax ? ['full:watches'] : []),
        ...(ended.length === limits.oracleEndedKept ? ['full:ended'] : []),
      ],
      numRuns,
      seed: 20_264,
    });
    expect(reached.runs).toBe(numRuns);
  });

  test('and that has led to every event, every state and every reason to refuse', () => {
    expect(reached.names('event:')).toEqual(
      [
        ...watchEventTypes,
        'OracleStarted',
        'OracleJoined',
        'OracleLeft',
        'SessionTermsSeen',
        'SessionForgotten',
      ].toSorted(),
    );
    expect(reached.names('state:')).toEqual([...oracleStates].toSorted());
    expect(reached.names('refusal:')).toEqual(['invalid_slice', 'oracle_busy', 'oracle_not_started', 'wrong_stream']);
  });

  test('in most runs, so that the bounds and the ends of what goes on were reached', () => {
    expect(
      reached.rarerThan(
        0.5,
        ['queued', 'working', 'revealing', 'attesting', 'decided']
          .map((state) => `watch:${state}`)
          .concat([
            'full:watches',
            'effect:reassignOnChain',
            'event:DeadlineDeferred',
            'event:EnforcementFailed',
            'event:WatchEnded',
          ]),
      ),
    ).toEqual([]);
    expect(
      reached.rarerThan(0.02, [
        'watch:appealed',
        'full:ended',
        'effect:expireOnChain',
        'effect:resolveOnChain',
        'effect:nominateOnChain',
        'effect:endAppealOnChain',
      ]),
    ).toEqual([]);
  });
});
