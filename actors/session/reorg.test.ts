import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { alice, bob, bytes32, fact, genesisAt, session, task, vera } from '../../test/actors/chain-facts.ts';
import { deposited, opened } from '../../test/actors/samples/session.ts';
import { good, submitted } from '../../test/actors/samples/task.ts';
import type { ChainFact } from '../../src/core/chain-fact.ts';
import type { Hex } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { TaskFact } from '../task/decide.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';

const assignment = fact(3, {
  type: 'MinersAssigned',
  session,
  task,
  miners: [alice, bob],
  validators: [vera],
  beaconBlock: 2,
  beacon: bytes32(2),
  selectionDigest: bytes32(3),
  ackBy: genesisAt + 8_000,
});
const unsee: SessionCommand = { type: 'UnseeFact', fact: assignment };
const seeAgain: SessionCommand = { type: 'SeeTaskFact', fact: assignment as TaskFact };

const history = [opened, deposited, submitted, ...Object.values(good)];
const until = (last: keyof typeof good) =>
  new ActorRun<SessionContext, SessionCommand>(sessionActor, history.slice(0, history.indexOf(good[last]) + 1));
const afterGrace = genesisAt + limits.assignmentRestoreMs;

describe('an end that a reorg takes back', () => {
  const end = (refunded: string) => fact(20, { type: 'SessionClosed', session, refundedWei: wei(refunded) });
  const seeEnd = (refunded: string): SessionCommand => ({
    type: 'SeeSessionFact',
    fact: end(refunded) as Extract<ChainFact, { type: 'SessionClosed' }>,
  });
  const unseeEnd = (refunded: string): SessionCommand => ({ type: 'UnseeFact', fact: end(refunded) });

  test('gives the session its money again, and comes with the same transaction', () => {
    const run = until('settled');
    run.tell(seeEnd('94'));
    const closed = run.state;
    expect(run.types(unseeEnd('94'))).toEqual(['SessionCloseReverted']);
    expect(run.state).toMatchObject({ value: 'draining', context: { money: { balanceWei: '94', refundedWei: '0' } } });
    expect(run.types(seeEnd('94'))).toEqual(['SessionClosed']);
    expect(run.state).toEqual(closed);
  });

  test('is another one where its last task has lost its assignment too', () => {
    const run = until('settled');
    run.tell(seeEnd('94'));
    expect(run.types(unseeEnd('94'))).toEqual(['SessionCloseReverted']);
    expect(run.types(unsee)).toEqual(['ChainFactReverted', 'AssignmentReverted']);
    run.advanceTo(afterGrace);
    const returnedWei = submitted.maxPriceWei;
    const refund = fact(30, { type: 'TaskRefunded', session, task, returnedWei, reason: 'cancelled' });
    expect(run.types({ type: 'SeeTaskFact', fact: refund as TaskFact })).toEqual(['TaskRefunded']);
    expect(run.types(seeEnd('120'))).toEqual(['SessionClosed']);
    expect(run.state).toMatchObject({
      value: 'closed',
      context: { money: { balanceWei: '0', escrowedWei: '0', paidWei: '0', refundedWei: '120' } },
    });
  });

  test('that was not this one is noted only', () => {
    const run = until('settled');
    run.tell(seeEnd('94'));
    expect(run.types(unseeEnd('95'))).toEqual(['ChainFactReverted']);
    expect(run.state.value).toBe('closed');
  });

  test('takes no new tasks while it is awaited', () => {
    const run = until('settled');
    run.tell(seeEnd('94'));
    run.tell(unseeEnd('94'));
    const { requestId, by, prompt, maxTokens } = submitted;
    const next = { requestId: `${requestId.slice(0, -1)}f` as Hex, by, prompt, maxTokens, promptTokens: 4 };
    const told = run.tell({ type: 'SubmitTask', ...next, maxPriceWei: null, onChain: null });
    expect(told.rejection?.code).toBe('session_closing');
  });
});

describe('an assignment that a reorg takes back', () => {
  test('changes nothing where it comes again in time', () => {
    const run = until('ackedByBob');
    const before = run.state;
    expect(run.types(unsee)).toEqual(['ChainFactReverted', 'AssignmentReverted']);
    expect(run.types(unsee)).toEqual([]);
    expect(run.types(seeAgain)).toEqual(['ChainFactRestored', 'AssignmentRestored']);
    const { context } = before;
    expect(run.state).toEqual({ ...before, context: { ...context, seenTo: assignment.place.block } });
    expect(run.advanceTo(afterGrace)).toEqual([]);
  });

  test('is waited for as long as the bound says', () => {
    const run = until('ackedByBob');
    run.tell(unsee);
    expect(run.advanceTo(afterGrace - 1)).toEqual([]);
    expect(run.advanceTo(afterGrace).flatMap(({ events }) => events.map(({ type }) => type))).toEqual([
      'AssignmentLost',
    ]);
  });

  test.each(['assigned', 'ackedByBob', 'allPrecommitted', 'allCommitted', 'validated'] as const)(
    'for good ends a task that has come to %s: its miners are freed, the chain gives its escrow back',
    (last) => {
      const run = until(last);
      run.tell(unsee);
      const [lost] = run.advanceTo(afterGrace);
      expect(lost?.effects.at(-1)).toEqual({ kind: 'cancelOnChain', task });
      expect(run.state.context.tasks[task]).toMatchObject({
        value: 'failed',
        context: { failure: { code: 'assignment_lost' }, escrowWei: '50' },
      });
      const escrow = submitted.maxPriceWei;
      const refund = fact(30, { type: 'TaskRefunded', session, task, returnedWei: escrow, reason: 'cancelled' });
      run.tell({ type: 'SeeTaskFact', fact: refund as TaskFact });
      expect(run.state.context).toMatchObject({
        money: { balanceWei: '120', escrowedWei: '0', paidWei: '0' },
        counts: { settled: 0, refunded: 1 },
        tasks: {},
        ended: [{ value: 'refunded' }],
      });
    },
  );

  test('for good takes a settlement back with it', () => {
    const run = until('settled');
    expect(run.state.context.money).toMatchObject({ balanceWei: '94', escrowedWei: '0', paidWei: '26' });
    run.tell(unsee);
    const [lost] = run.advanceTo(afterGrace);
    expect(lost?.events).toMatchObject([{ type: 'AssignmentLost', priceWei: '26', returnedWei: '24' }]);
    expect(run.state.context).toMatchObject({
      money: { balanceWei: '70', escrowedWei: '50', paidWei: '0' },
      counts: { settled: 0 },
      ended: [],
    });
    expect(run.state.context.tasks[task]).toMatchObject({
      value: 'failed',
      context: { payments: [], settlement: null, verdict: null },
    });
  });

  test('waits with that for the money it has to take back', () => {
    const run = until('settled');
    const next = { ...submitted, task: bytes32(77), maxPriceWei: '80' } as unknown as typeof submitted;
    const spent = new ActorRun<SessionContext, SessionCommand>(sessionActor, [...history, next]);
    spent.tell(unsee);
    const [refused] = spent.advanceTo(afterGrace);
    expect(refused?.rejection?.code).toBe('escrow_mismatch');
    expect(spent.state.context.money).toMatchObject({ balanceWei: '14', paidWei: '26' });
    expect(run.state.context.money.balanceWei).toBe('94');
  });
});
