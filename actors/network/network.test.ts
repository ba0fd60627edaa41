import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  dave,
  fact,
  genesisAt,
  olga,
  router,
  vera,
  victor,
} from '../../test/actors/chain-facts.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { contentCid, digestToCid } from '../../src/core/cid.ts';
import type { Address } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { NetworkContext, PartRole } from './context.ts';
import { type NetworkCommand, slotAt } from './decide.ts';
import { networkActor } from './definition.ts';

type Run = ActorRun<NetworkContext, NetworkCommand>;

const round = 7;
const slotMs = 600_000;
const times = { startsAt: genesisAt - 6 * slotMs, slotMs, createMs: 60_000, prepareMs: 50_000 };
const from = { block: 5, logIndex: 3 };
const see = (block: number, body: ChainFactBody, logIndex = 0): NetworkCommand => {
  return { type: 'SeeFact', fact: fact(block, body, logIndex) };
};
const take = (node: Address, role: PartRole): NetworkCommand => ({
  type: 'TakePart',
  node,
  role,
  times,
  from,
  firstRound: round,
});
const joined = (node: Address, role: 'miner' | 'validator' = 'miner'): NetworkCommand => {
  return see(6, { type: 'PoolJoined', role, node });
};

/** Every fact of a round that ends well. */
const facts = {
  requested: see(10, { type: 'RoundRequested', round, by: olga, beaconBlock: 12, drawBy: genesisAt + 130_000 }),
  drawn: see(13, {
    type: 'CrewDrawn',
    round,
    beacon: bytes32(1),
    creator: alice,
    preparer: bob,
    standbys: [carol],
    createBy: genesisAt + 73_000,
  }),
  created: see(14, {
    type: 'RoundCreated',
    round,
    creator: alice,
    topicDigest: bytes32(2),
    prepareBy: genesisAt + 74_000,
  }),
  prepared: see(15, {
    type: 'RoundPrepared',
    round,
    preparer: bob,
    questionsDigest: bytes32(3),
    beaconBlock: 17,
    drawBy: genesisAt + 135_000,
  }),
  started: see(18, {
    type: 'RoundStarted',
    round,
    beacon: bytes32(4),
    miners: [carol, dave],
    validators: [vera, victor],
    precommitBy: genesisAt + 138_000,
  }),
  boundByCarol: see(19, { type: 'AnswerPrecommitted', round, miner: carol, hash: bytes32(5) }),
  boundByDave: see(20, { type: 'AnswerPrecommitted', round, miner: dave, hash: bytes32(6) }),
  allBound: see(20, { type: 'AnswersPrecommitted', round, revealBy: genesisAt + 50_000 }, 1),
  shownByDave: see(21, {
    type: 'AnswerRevealed',
    round,
    miner: dave,
    resultRoot: bytes32(8),
    resultDigest: bytes32(9),
  }),
  shownByCarol: see(22, {
    type: 'AnswerRevealed',
    round,
    miner: carol,
    resultRoot: bytes32(10),
    resultDigest: bytes32(11),
  }),
  allShown: see(22, { type: 'AnswersRevealed', round, validateBy: genesisAt + 82_000 }, 1),
  ended: see(23, { type: 'RoundEnded', round, datasetDigest: bytes32(12), honest: 3, validators: [vera, victor] }),
  credited: see(23, { type: 'IdleWorkCredited', epoch: 1, round, node: carol, credits: 4 }, 1),
} as const;

/** A node that takes part, in its pool. */
function member(node: Address, role: 'miner' | 'validator' = 'miner'): Run {
  const run = new ActorRun(networkActor);
  run.tell(take(node, role));
  run.tell(joined(node, role));
  return run;
}

/** An oracle that drives rounds. */
function driver(): Run {
  const run = new ActorRun(networkActor);
  run.tell(take(olga, 'oracle'));
  return run;
}

/** Tells facts up to one, that one included. @returns what the last one led to. */
function tellTo(run: Run, last: keyof typeof facts) {
  const names = Object.keys(facts) as (keyof typeof facts)[];
  const told = names.slice(0, names.indexOf(last) + 1).map((name) => run.tell(facts[name]));
  return told.at(-1)!;
}

const roundOf = (run: Run) => run.state.context.round;

describe('taking part', () => {
  test('a miner gets into its pool, and out of it again when it wants no more', () => {
    const run = new ActorRun(networkActor);
    expect(run.types({ type: 'LeaveRounds' }), 'it never took part').toEqual([]);
    expect(run.types(facts.requested)).toEqual([]);
    expect(run.tell(take(alice, 'miner'))).toMatchObject({
      events: [{ type: 'PartTaken' }],
      effects: [{ kind: 'joinPool', role: 'miner' }],
    });
    expect(run.types(take(alice, 'miner')), 'at the next start').toEqual([]);
    expect(run.tell(take(bob, 'miner')).rejection?.code).toBe('wrong_stream');
    expect(run.tell(take(alice, 'validator')).rejection?.code).toBe('wrong_stream');
    expect(run.types(joined(bob))).toEqual([]);
    expect(run.types(joined(alice, 'validator'))).toEqual([]);
    expect(run.types(joined(alice))).toEqual(['PoolEntered']);
    expect(run.types(joined(alice)), 'told again').toEqual([]);
    expect(run.tell({ type: 'LeaveRounds' })).toMatchObject({ effects: [{ kind: 'quitPool', role: 'miner' }] });
    expect(run.types({ type: 'LeaveRounds' })).toEqual([]);
    expect(run.types(see(30, { type: 'PoolLeft', role: 'miner', node: alice }))).toEqual(['PoolExited']);
    expect(run.state.value).toBe('off');
    expect(run.timers()).toEqual([]);
  });

  test('facts of rounds before it took part are none of its', () => {
    const run = new ActorRun(networkActor);
    run.tell(take(alice, 'miner'));
    expect(run.types(see(5, { type: 'PoolJoined', role: 'miner', node: alice }, 3))).toEqual([]);
    expect(run.types(see(5, { type: 'PoolJoined', role: 'miner', node: alice }, 4))).toEqual(['PoolEntered']);
  });

  test('one that fell out, or was not let in, tries again after a time and no sooner', () => {
    const run = member(alice);
    run.now = genesisAt + 31_000;
    expect(run.types(see(30, { type: 'PoolLeft', role: 'miner', node: alice }))).toEqual(['PoolExited']);
    const joinAt = genesisAt + 30_000 + limits.poolRejoinMs;
    expect(run.timers()).toEqual([{ id: 'join', at: joinAt }]);
    expect(run.advanceTo(joinAt - 1)).toEqual([]);
    expect(run.types({ type: 'FireTimer', timer: 'join' })).toEqual([]);
    expect(run.advanceTo(joinAt)).toMatchObject([{ effects: [{ kind: 'joinPool' }] }]);
    expect(run.types({ type: 'FailJoin', code: 'chain_reverted', reason: 'PoolFull' })).toEqual(['JoinFailed']);
    expect(run.types({ type: 'FailJoin', code: 'chain_reverted', reason: 'PoolFull' })).toEqual([]);
    expect(run.timers()).toEqual([{ id: 'join', at: joinAt + limits.poolRejoinMs }]);
    expect(run.types({ type: 'LeaveRounds' })).toEqual(['PartLeft']);
    expect(run.state.value).toBe('off');
  });

  test('one that finds itself in its pool, or not in it, goes on from there', () => {
    const run = new ActorRun(networkActor);
    run.tell(take(vera, 'validator'));
    expect(run.types({ type: 'SeeMembership', isMember: false })).toEqual([]);
    expect(run.types({ type: 'SeeMembership', isMember: true })).toEqual(['PoolEntered']);
    expect(run.types({ type: 'SeeMembership', isMember: true })).toEqual([]);
    run.tell({ type: 'LeaveRounds' });
    expect(run.types({ type: 'SeeMembership', isMember: false })).toEqual(['PoolExited']);
    expect(run.tell(take(vera, 'validator'))).toMatchObject({ effects: [{ kind: 'joinPool', role: 'validator' }] });
  });

  test('who gets into the pool in the middle of a round knows it, and does what it is drawn for', () => {
    const run = new ActorRun(networkActor);
    run.tell(take(carol, 'miner'));
    tellTo(run, 'created');
    expect(run.types(see(14, { type: 'PoolJoined', role: 'miner', node: carol }, 1))).toEqual(['PoolEntered']);
    run.tell(facts.prepared);
    expect(run.tell(facts.started).effects).toEqual([{ kind: 'makeAnswers', round, questionsDigest: bytes32(3) }]);
  });

  test('rounds that were over are none of its, nor is one that began while it took no part', () => {
    const run = new ActorRun(networkActor);
    run.tell(take(alice, 'miner'));
    const before = { type: 'RoundRequested', round: round - 1, by: olga, beaconBlock: 8, drawBy: genesisAt } as const;
    expect(run.types(see(6, before))).toEqual([]);
    run.tell({ type: 'LeaveRounds' });
    run.tell({ type: 'SeeMembership', isMember: false });
    expect(run.types(facts.requested)).toEqual([]);
    expect(run.types(facts.drawn)).toEqual([]);
  });

  test('who leaves the pool does what it was drawn for', () => {
    const leaving = member(alice);
    leaving.tell(facts.requested);
    leaving.tell({ type: 'LeaveRounds' });
    expect(leaving.tell(facts.drawn)).toMatchObject({ effects: [{ kind: 'makeTopic', round }] });
  });
});

describe('an oracle', () => {
  test('wants a round for each slot once, however late, and none that another one has asked for', () => {
    const run = driver();
    expect(run.timers()).toEqual([{ id: 'slot', at: times.startsAt }]);
    expect(slotAt(times, times.startsAt - 1)).toBe(0);
    expect(slotAt(times, genesisAt)).toBe(round);
    expect(run.advanceTo(genesisAt)).toMatchObject([{ effects: [{ kind: 'requestRound', slot: round }] }]);
    expect(run.types({ type: 'FireTimer', timer: 'slot' })).toEqual([]);
    expect(run.timers()).toEqual([{ id: 'slot', at: genesisAt + slotMs }]);
    const other = driver();
    other.tell(facts.requested);
    expect(other.timers()).toEqual([{ id: 'slot', at: genesisAt + slotMs }]);
    expect(other.types({ type: 'LeaveRounds' })).toEqual(['PartLeft']);
    expect(other.timers()).toEqual([]);
  });

  test('drives every phase by its beacon or its deadline, and works on none', () => {
    const run = driver();
    const driven = Object.values(facts).flatMap((command) => run.tell(command).effects);
    const at = (phase: string, ms: number, beaconBlock = 0) => {
      return { kind: 'driveRound', round, phase, phaseBy: genesisAt + ms, beaconBlock };
    };
    expect(driven).toEqual([
      at('requested', 130_000, 12),
      at('creating', 73_000),
      at('preparing', 74_000),
      at('prepared', 135_000, 17),
      at('answering', 138_000),
      at('revealing', 50_000),
      at('validating', 82_000),
    ]);
    expect(roundOf(run)).toMatchObject({ value: 'ended', context: { datasetDigest: bytes32(12), shown: [] } });
  });

  test('drives a phase anew where somebody stands in', () => {
    const run = driver();
    tellTo(run, 'drawn');
    const missed = { type: 'NodeMissed', round, node: alice, phase: 'creating', replacement: carol } as const;
    const phaseBy = genesisAt + 20_000 + times.createMs;
    const drive = { kind: 'driveRound', round, phase: 'creating', phaseBy, beaconBlock: 0 };
    expect(run.tell(see(20, missed)).effects).toEqual([drive]);
    const none = run.tell(see(21, { ...missed, node: carol, replacement: null }));
    expect(none.effects).toEqual([]);
    expect(run.types(see(21, { type: 'RoundFailed', round, reason: 'no-topic' }, 1))).toEqual(['RoundFailed']);
  });
});

describe('a miner', () => {
  test('that is drawn for the topic makes it and brings it to the chain', () => {
    const run = member(alice);
    expect(tellTo(run, 'drawn').effects).toEqual([{ kind: 'makeTopic', round }]);
    const told = run.tell({ type: 'TellTopic', round, topic: digestToCid(bytes32(2)) });
    expect(told.effects).toEqual([{ kind: 'createRound', round, topicDigest: bytes32(2) }]);
    run.tell(facts.created);
    expect(run.types({ type: 'TellTopic', round, topic: digestToCid(bytes32(2)) }), 'too late').toEqual([]);
  });

  test('that stands in for a silent one does its part, and the silent one no more', () => {
    const [standby, silent, preparer] = [member(carol), member(alice), member(dave)];
    const missed = { type: 'NodeMissed', round, node: alice, phase: 'creating', replacement: carol } as const;
    for (const run of [standby, silent]) tellTo(run, 'drawn');
    expect(standby.tell(see(20, missed)).effects).toEqual([{ kind: 'makeTopic', round }]);
    silent.tell(see(20, missed));
    expect(silent.types({ type: 'TellTopic', round, topic: contentCid({}) })).toEqual([]);
    expect(roundOf(silent)?.context.hasMissed).toBe(true);
    tellTo(preparer, 'created');
    const late = { type: 'NodeMissed', round, node: bob, phase: 'preparing', replacement: dave } as const;
    const questions = { kind: 'makeQuestions', round, topicDigest: bytes32(2) };
    expect(preparer.tell(see(20, late)).effects).toEqual([questions]);
    expect(roundOf(preparer)?.context.phaseBy).toBe(genesisAt + 20_000 + times.prepareMs);
  });

  test('that is drawn for the questions makes them of the topic', () => {
    const run = member(bob);
    expect(tellTo(run, 'created').effects).toEqual([{ kind: 'makeQuestions', round, topicDigest: bytes32(2) }]);
    const told = run.tell({ type: 'TellQuestions', round, questions: digestToCid(bytes32(3)) });
    expect(told.effects).toEqual([{ kind: 'prepareRound', round, questionsDigest: bytes32(3) }]);
    expect(run.tell(facts.prepared).effects).toEqual([]);
    expect(run.types({ type: 'TellQuestions', round, questions: digestToCid(bytes32(3)) })).toEqual([]);
  });

  test('that is drawn to answer binds itself, and shows its answers once all are bound', () => {
    const run = member(carol);
    expect(tellTo(run, 'started').effects).toEqual([{ kind: 'makeAnswers', round, questionsDigest: bytes32(3) }]);
    const result = digestToCid(bytes32(11));
    const answers = { type: 'TellAnswers', round, resultRoot: bytes32(10), result } as const;
    expect(run.tell(answers).effects).toEqual([{ kind: 'precommitAnswers', round, resultRoot: bytes32(10) }]);
    expect(run.types(answers)).toEqual([]);
    expect(run.types(facts.boundByCarol)).toEqual(['AnswerPrecommitted']);
    expect(run.types(facts.boundByDave), 'of another').toEqual([]);
    expect(run.tell(facts.allBound).effects).toEqual([
      { kind: 'revealAnswers', round, resultRoot: bytes32(10), resultDigest: bytes32(11) },
    ]);
    expect(run.types(facts.shownByDave)).toEqual([]);
    for (const name of ['shownByCarol', 'allShown', 'ended'] as const) run.tell(facts[name]);
    expect(run.types(facts.credited)).toEqual(['IdleWorkCredited']);
    expect(roundOf(run)).toMatchObject({ value: 'ended', context: { credits: 4, hasMissed: false } });
  });

  test('shows nothing where the chain has no precommit of it', () => {
    const run = member(carol);
    tellTo(run, 'started');
    run.tell({ type: 'TellAnswers', round, resultRoot: bytes32(10), result: contentCid({}) });
    expect(run.tell(facts.allBound).effects).toEqual([]);
  });

  test('that is not drawn does nothing, and notes nothing of others', () => {
    const run = member(vera, 'validator');
    const effects = Object.values(facts).flatMap((command) => run.tell(command).effects);
    expect(effects.map(({ kind }) => kind)).toEqual(['judgeRound']);
    const other = member(router);
    expect(Object.values(facts).flatMap((command) => other.tell(command).effects)).toEqual([]);
    expect(roundOf(other)?.context).toMatchObject({ credits: 0, shown: [] });
    expect(
      other.types(see(24, { type: 'NodeMissed', round, node: dave, phase: 'revealing', replacement: null })),
    ).toEqual([]);
  });

  test('notes a step that came to nothing, of the round that is on', () => {
    const run = member(alice);
    const failed = { type: 'FailStep', step: 'createRound', code: 'chain_reverted', reason: 'no' } as const;
    expect(run.types({ ...failed, round })).toEqual([]);
    tellTo(run, 'drawn');
    expect(run.types({ ...failed, round: round + 1 })).toEqual([]);
    expect(run.types({ ...failed, round })).toEqual(['StepFailed']);
    expect(roundOf(run)?.context.failure).toEqual({ step: 'createRound', code: 'chain_reverted', reason: 'no' });
  });
});

describe('a validator', () => {
  test('judges what was shown, in the order of the miners, and brings its judgement to the chain', () => {
    const run = member(vera, 'validator');
    expect(tellTo(run, 'allShown').effects).toEqual([
      {
        kind: 'judgeRound',
        round,
        creator: alice,
        preparer: bob,
        topicDigest: bytes32(2),
        questionsDigest: bytes32(3),
        miners: [carol, dave],
        shown: [
          { miner: carol, resultRoot: bytes32(10), resultDigest: bytes32(11) },
          { miner: dave, resultRoot: bytes32(8), resultDigest: bytes32(9) },
        ],
      },
    ]);
    const judged = { type: 'TellJudgement', round, honest: 3, dataset: contentCid({}) } as const;
    const end = { kind: 'endRound', round, dataset: contentCid({}), honest: 3, validators: [vera, victor] };
    expect(run.tell(judged).effects).toEqual([end]);
    expect(run.types(judged)).toEqual([]);
  });
});

describe('after a reorg', () => {
  test('facts that are told again change nothing, and others in their place move the round', () => {
    const run = member(alice);
    tellTo(run, 'drawn');
    expect(run.types(facts.drawn)).toEqual([]);
    const { place } = fact(13, { type: 'RoundFailed', round, reason: 'not-drawn' });
    expect(run.types({ type: 'ForgetFact', place: { ...place, block: 14 } }), 'never seen').toEqual([]);
    expect(run.types({ type: 'ForgetFact', place })).toEqual(['FactsReverted']);
    const other = {
      type: 'CrewDrawn',
      round,
      beacon: bytes32(9),
      creator: bob,
      preparer: alice,
      standbys: [],
    } as const;
    expect(run.tell(see(13, { ...other, createBy: genesisAt + 73_000 })).effects).toEqual([]);
    expect(run.types({ type: 'TellTopic', round, topic: contentCid({}) })).toEqual([]);
    expect(run.tell(facts.created).effects).toMatchObject([{ kind: 'makeQuestions' }]);
  });

  test('a round that was asked for anew is a new one, whatever was known of it', () => {
    const run = member(carol);
    tellTo(run, 'ended');
    run.tell({ type: 'ForgetFact', place: fact(10, { type: 'RoundFailed', round, reason: 'not-drawn' }).place });
    expect(run.types(facts.requested)).toEqual(['RoundRequested']);
    expect(roundOf(run)).toMatchObject({ value: 'requested', context: { creator: null, miners: [] } });
  });
});
