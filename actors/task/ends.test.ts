import { describe, expect, test } from 'vitest';
import { foldEvents } from '../../test/actors/actor-run.ts';
import { alice, bob, task } from '../../test/actors/chain-facts.ts';
import { detours, escrowWei, good, submitted } from '../../test/actors/samples/task.ts';
import { about, bound, choose, executing, given, see, when, working } from '../../test/actors/task-run.ts';
import { zeroWei } from '../../src/core/wei.ts';
import { selectionsMax } from './context.ts';
import type { TaskCommand } from './decide.ts';
import type { TaskEvent } from './events.ts';
import { foldTask } from './machine.ts';

const { queued, selected, assigned, ackedByAlice } = good;

describe('a selection', () => {
  test('must use a beacon that nobody knew at submission', () => {
    expect(when([submitted, queued], { ...choose, beaconBlock: 1 }).refused).toBe('beacon_too_early');
  });

  test('without miners ends the task', () => {
    const { events, effects } = when([submitted, queued], { ...choose, candidates: [] });
    expect(events.map(({ type }) => type)).toEqual(['TaskCancelRequested', 'TaskFailed']);
    expect(effects).toEqual([{ kind: 'cancelOnChain', task }]);
  });

  test('that is refused is made again by a later beacon, a bounded number of times', () => {
    const refuse: TaskCommand = {
      type: 'TaskEffectFailed',
      task,
      effect: 'assignOnChain',
      code: 'chain_reverted',
      reason: 'NodeNotActive',
    };
    const history: TaskEvent[] = [submitted, queued];
    for (let tries = 1; tries <= selectionsMax; tries += 1) {
      const chosen = when(history, choose);
      history.push(...chosen.events);
      const refused = when(history, refuse);
      history.push(...refused.events);
      const again = { kind: 'selectMiners', task, afterBlock: 2, redundancy: 2, validators: 1, model: 'pebble-chat' };
      expect(refused.effects).toEqual([tries < selectionsMax ? again : { kind: 'cancelOnChain', task }]);
    }
    expect(when(history, choose).events).toEqual([]);
    expect(when(history, refuse).events).toEqual([]);
  });
});

describe('the end of a task before its time', () => {
  const cancel: TaskCommand = { type: 'CancelTask', task, reason: 'client left' };

  test.each([
    ['queued', [submitted, queued], [{ kind: 'cancelOnChain', task }]],
    ['executing', executing, [{ kind: 'cancelOnChain', task }]],
    ['not on chain yet', [submitted], []],
  ] as const)('is asked of the chain while it is %s', (_, history, effects) => {
    const told = when(history, cancel);
    expect(told.events).toMatchObject([{ type: 'TaskCancelRequested' }]);
    expect(told.effects).toEqual(effects);
    expect(when([...history, ...told.events], cancel).events).toEqual([]);
  });

  test('is asked for as soon as the chain has it', () => {
    expect(foldEvents(foldTask, given(submitted, detours.cancelled), [queued]).effects).toEqual([
      { kind: 'cancelOnChain', task },
    ]);
  });

  test('is refused once all are bound to their answers', () => {
    expect(when(bound, cancel).refused).toBe('task_not_cancellable');
  });

  test('frees the miners and gives the escrow back', () => {
    const refund = see(20, { type: 'TaskRefunded', ...about, returnedWei: escrowWei, reason: 'cancelled' });
    const { events, effects, state } = when([...working, ackedByAlice, detours.cancelled], refund);
    expect(events.map(({ type }) => type)).toEqual(['TaskFailed', 'TaskRefunded']);
    expect(effects).toEqual([
      { kind: 'cancelJob', task, miner: alice, attempt: 0 },
      { kind: 'cancelJob', task, miner: bob, attempt: 0 },
      { kind: 'recordOutcome', task, honest: [], outliers: [], timedOut: [] },
    ]);
    expect(state).toMatchObject({
      value: 'refunded',
      context: { escrowWei: zeroWei, returnedWei: escrowWei, failure: { code: 'task_cancelled' } },
    });
  });

  test('comes with a refund where the chain never had it', () => {
    const { events } = when([submitted], {
      type: 'TaskEffectFailed',
      task,
      effect: 'submitOnChain',
      code: 'chain_reverted',
      reason: 'InsufficientBalance',
    });
    expect(events).toMatchObject([
      { type: 'TaskFailed' },
      { type: 'TaskRefunded', returnedWei: escrowWei, seen: null },
    ]);
  });

  test('comes when its time in the queue is over', () => {
    const fire: TaskCommand = { type: 'FireTaskTimer', task, timer: 'queue' };
    const history = [submitted, detours.timerSet, queued];
    expect(when(history, fire, submitted.expiresAt - 1).events).toEqual([]);
    const fired = when(history, fire, submitted.expiresAt);
    expect(fired.effects).toEqual([{ kind: 'expireOnChain', task }]);
    expect(when([...history, ...fired.events], fire, submitted.expiresAt).events).toEqual([]);
    expect(given(...history, selected, assigned).context.timers).toEqual({});
  });
});
