import { describe, expect, test } from 'vitest';
import { foldEvents } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  client,
  fact,
  genesisAt,
  olga,
  prompt,
  router,
  seen,
  task,
  vera,
} from '../../test/actors/chain-facts.ts';
import {
  detours,
  escrowWei,
  good,
  manifest,
  proof,
  report,
  result,
  submitted,
} from '../../test/actors/samples/task.ts';
import { about, bound, choose, committed, executing, given, see, when, working } from '../../test/actors/task-run.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import { taskStates } from './context.ts';
import type { TaskCommand } from './decide.ts';
import type { TaskEvent } from './events.ts';
import { foldTask, taskMachine } from './machine.ts';

const {
  queued,
  selected,
  assigned,
  ackedByAlice,
  ackedByBob,
  allPrecommitted,
  revealedByAlice,
  revealedByBob,
  allCommitted,
  validated,
  settled,
} = good;

describe('a task on its way', () => {
  test('is put on chain where a router wants it', () => {
    expect(foldEvents(foldTask, foldTask.initial, [submitted]).effects).toEqual([
      {
        kind: 'submitOnChain',
        task,
        requestId: bytes32(1),
        promptDigest: cidToDigest(prompt),
        maxTokens: 16,
        maxPriceWei: escrowWei,
      },
    ]);
  });

  test('is chosen miners for once the chain has it', () => {
    const select = { kind: 'selectMiners', task, afterBlock: 1, redundancy: 2, validators: 1, model: 'pebble-chat' };
    expect(foldEvents(foldTask, foldTask.initial, [{ ...submitted, seen: seen(1) }]).effects).toEqual([select]);
    expect(foldEvents(foldTask, given(submitted), [queued]).effects).toEqual([select]);
  });

  test('is assigned by a selection that anyone can recompute', () => {
    const { events, effects } = when([submitted, queued], choose);
    const chosen = events[0] as typeof selected;
    expect(chosen.ranking.toSorted()).toEqual([alice, bob, carol]);
    expect(chosen.miners).toEqual(chosen.ranking.slice(0, 2));
    expect(effects).toEqual([
      {
        kind: 'assignOnChain',
        task,
        scheme: 'drawn',
        miners: chosen.candidates,
        validators: [{ node: vera, weight: 1 }],
        beaconBlock: 2,
        beacon: bytes32(2),
        selectionDigest: cidToDigest(proof),
      },
    ]);
    expect(when([submitted, queued, selected], choose).events).toEqual([]);
  });

  test('hands each miner its job', () => {
    const { effects } = foldEvents(foldTask, given(submitted, queued, selected), [assigned]);
    const job = { kind: 'sendJob', task, attempt: 0, prompt, model: 'pebble-chat', maxTokens: 16 };
    expect(effects).toEqual([
      { ...job, miner: alice },
      { ...job, miner: bob },
    ]);
  });

  test('works for the validators the chain names, whoever chose them', () => {
    const { effects } = foldEvents(
      foldTask,
      given(
        submitted,
        queued,
        { ...assigned, validators: [carol] },
        ackedByAlice,
        ackedByBob,
        allPrecommitted,
        revealedByAlice,
        revealedByBob,
      ),
      [allCommitted],
    );
    const { resultRoot } = revealedByAlice;
    expect(effects).toEqual([
      {
        kind: 'requestValidation',
        task,
        validator: carol,
        prompt,
        similarityBps: 8_000,
        level: 1,
        attestBy: allCommitted.attestBy,
        results: [
          { miner: alice, attempt: 0, resultRoot, result },
          { miner: bob, attempt: 0, resultRoot: revealedByBob.resultRoot, result },
        ],
      },
    ]);
  });

  test('is settled with a manifest that ties everything together', () => {
    const { effects, state } = foldEvents(foldTask, given(...committed), [validated]);
    expect(effects).toMatchObject([
      {
        kind: 'settleOnChain',
        task,
        manifest: { kind: 'manifest', v: 1, prompt, selection: proof, winner: alice, report },
      },
    ]);
    const end = foldEvents(foldTask, state, [settled]);
    expect(end.effects).toEqual([{ kind: 'recordOutcome', task, honest: [alice, bob], outliers: [], timedOut: [] }]);
    expect(end.state).toMatchObject({
      value: 'settled',
      context: { priceWei: '26', returnedWei: '24', escrowWei: '0', manifest },
    });
  });

  test('has the states it says it has', () => {
    expect(Object.keys(taskMachine.states).toSorted()).toEqual([...taskStates].toSorted());
  });
});

describe('facts of the chain', () => {
  const facts: readonly [string, readonly TaskEvent[], TaskCommand, TaskEvent['type']][] = [
    [
      'TaskSubmitted',
      [submitted],
      see(1, {
        type: 'TaskSubmitted',
        ...about,
        requestId: bytes32(1),
        by: router,
        promptDigest: cidToDigest(prompt),
        maxTokens: 16,
        maxPriceWei: escrowWei,
      }),
      'TaskQueuedOnChain',
    ],
    [
      'MinersAssigned',
      [submitted, queued],
      see(3, {
        type: 'MinersAssigned',
        ...about,
        miners: [alice],
        validators: [vera],
        beaconBlock: 2,
        beacon: bytes32(2),
        selectionDigest: bytes32(3),
        ackBy: genesisAt,
      }),
      'MinersAssigned',
    ],
    ['TaskAcked', working, see(4, { type: 'TaskAcked', ...about, miner: alice, precommitBy: genesisAt }), 'TaskAcked'],
    [
      'TaskPrecommitted',
      executing,
      see(6, { type: 'TaskPrecommitted', ...about, miner: alice, hash: bytes32(6) }),
      'TaskPrecommitted',
    ],
    [
      'AllPrecommitted',
      executing,
      see(7, { type: 'AllPrecommitted', ...about, revealBy: genesisAt }),
      'AllPrecommitted',
    ],
    [
      'TaskRevealed',
      bound,
      see(8, { type: 'TaskRevealed', ...about, miner: alice, resultRoot: bytes32(8), resultDigest: bytes32(9) }),
      'TaskCommitted',
    ],
    ['AllRevealed', bound, see(9, { type: 'AllRevealed', ...about, attestBy: genesisAt }), 'AllCommitted'],
    [
      'MinerReassigned',
      executing,
      see(9, {
        type: 'MinerReassigned',
        ...about,
        miner: bob,
        replacement: carol,
        attempt: 1,
        oracle: olga,
        ackBy: genesisAt,
      }),
      'MinerTimedOut',
    ],
    [
      'ResultValidated',
      committed,
      see(10, {
        type: 'ResultValidated',
        ...about,
        winner: alice,
        honest: [alice],
        promptTokens: 6,
        outputTokens: 10,
        reportDigest: bytes32(1),
      }),
      'ResultValidated',
    ],
    [
      'TaskSettled',
      [...committed, validated],
      see(11, {
        type: 'TaskSettled',
        ...about,
        priceWei: wei(26),
        returnedWei: wei(24),
        payments: [],
        manifestDigest: bytes32(1),
      }),
      'TaskSettled',
    ],
  ];

  test.each(facts)('%s enters the log once', (_, history, command, type) => {
    const first = when(history, command);
    expect(first.events.map((event) => event.type)).toEqual([type]);
    expect(when([...history, ...first.events], command).events).toEqual([]);
  });

  test.each(facts)('%s of a task that has ended changes nothing', (_, _history, command) => {
    expect(when([...committed, validated, settled], command).events).toEqual([]);
    expect(when([submitted, queued, detours.failed, detours.refunded], command).events).toEqual([]);
  });

  test('name those as outliers who revealed and are not honest', () => {
    const { events } = when(committed, facts[8]![2]);
    expect(events).toMatchObject([{ winner: alice, honest: [alice], outliers: [bob] }]);
  });

  test('settle a task that was given up here', () => {
    const { state, effects } = when([submitted, queued, detours.failed], facts[9]![2]);
    expect(state.value).toBe('settled');
    expect(effects).toMatchObject([{ kind: 'recordOutcome' }]);
  });

  test('about another task under the same id cancel it', () => {
    const foreign = fact(1, {
      type: 'TaskSubmitted',
      ...about,
      requestId: bytes32(1),
      by: client,
      promptDigest: bytes32(9),
      maxTokens: 16,
      maxPriceWei: wei(70),
    });
    const { events, effects, state } = when([submitted], { type: 'SeeTaskFact', fact: foreign });
    expect(events).toMatchObject([
      { type: 'TaskCancelRequested', reason: 'request_id_reused' },
      { type: 'TaskQueuedOnChain', escrowWei: '70' },
    ]);
    expect(effects).toEqual([{ kind: 'cancelOnChain', task }]);
    expect(state.context.escrowWei).toBe('70');
  });
});

describe('a miner that fails', () => {
  test('gives its slot and, if it spoke, its voice to another', () => {
    const { state, effects } = foldEvents(foldTask, given(...executing), [{ ...detours.timedOut, miner: alice }]);
    expect(effects).toMatchObject([
      { kind: 'cancelJob', miner: alice, attempt: 0 },
      { kind: 'sendJob', miner: carol, attempt: 1 },
    ]);
    expect(state.context).toMatchObject({
      primary: carol,
      timedOut: [alice],
      slots: [{ miner: carol, attempt: 1, phase: 'assigned' }, { miner: bob }],
    });
  });

  test('leaves the voice to one that is left where nobody replaces it', () => {
    const { state, effects } = foldEvents(foldTask, given(...executing), [
      { ...detours.timedOut, miner: alice, replacement: null },
    ]);
    expect(effects).toMatchObject([{ kind: 'cancelJob', miner: alice }]);
    expect(state.context).toMatchObject({ primary: bob, slots: [{ miner: bob }] });
  });

  test('hands over what it has said, once', () => {
    const replace: TaskCommand = { type: 'ReplacePrimary', task, to: bob, deliveredTokens: 3, prefixHash: 'abc' };
    const { events, state } = when(executing, replace);
    expect(events).toEqual([detours.joined]);
    expect(state.context.joins).toEqual([{ from: alice, to: bob, deliveredTokens: 3, prefixHash: 'abc' }]);
    expect(when([...executing, detours.joined], replace).events).toEqual([]);
    expect(when(executing, { ...replace, to: carol }).events).toEqual([]);
  });

  test('is left as it is after so many changes', () => {
    const there = { ...detours.joined };
    const back = { ...there, from: bob, to: alice };
    const joins = Array.from({ length: limits.taskJoinsMax }, (_, index) => (index % 2 === 0 ? there : back));
    const replace: TaskCommand = { type: 'ReplacePrimary', task, to: bob, deliveredTokens: 3, prefixHash: 'abc' };
    expect(when([...executing, ...joins.slice(0, -2)], replace).events).toHaveLength(1);
    expect(when([...executing, ...joins], replace).events).toEqual([]);
  });
});
