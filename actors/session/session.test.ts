import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  address,
  bytes32,
  client,
  fact,
  genesisAt,
  place,
  prompt,
  router,
  seen,
  session,
  task,
  terms,
} from '../../test/actors/chain-facts.ts';
import { deposited, opened, otherTask, wish as submit } from '../../test/actors/samples/session.ts';
import { detours, good, submitted } from '../../test/actors/samples/task.ts';
import type { ChainFact, ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';
import type { SessionEvent } from './events.ts';
import { isConserved } from './money.ts';
import { priceBound, type SubmitTask } from './submit.ts';
import { taskOf } from './tasks.ts';

const given = (...history: SessionEvent[]) => new ActorRun<SessionContext, SessionCommand>(sessionActor, history);
type Fact = Extract<ChainFact, { type: `Session${string}` }>;
const see = (block: number, body: ChainFactBody, logIndex = 0): SessionCommand => ({
  type: 'SeeSessionFact',
  fact: fact(block, body, logIndex) as Fact,
});
const unsee = (block: number, body: ChainFactBody): SessionCommand => ({ type: 'UnseeFact', fact: fact(block, body) });
const deposit = (amount: number, from = client): ChainFactBody => ({
  type: 'SessionDeposited',
  session,
  from,
  amountWei: wei(amount),
});
const closed = (refunded: number): ChainFactBody => ({ type: 'SessionClosed', session, refundedWei: wei(refunded) });
const refusal = (run: ReturnType<typeof given>, command: SessionCommand) => run.tell(command).rejection;

describe('a session opens', () => {
  test('when the chain says so, and is usable with its first deposit', () => {
    const run = given();
    expect(run.types(see(1, { type: 'SessionOpened', session, client, terms }))).toEqual(['SessionOpened']);
    expect(run.state.value).toBe('opening');
    expect(run.types(see(1, deposit(120)))).toEqual(['SessionDeposited']);
    expect(run.state.value).toBe('open');
  });

  test('suspended where the deposit does not cover one task', () => {
    const run = given(opened);
    run.tell(see(1, deposit(99)));
    expect(run.state.value).toBe('suspended');
    run.tell(see(2, deposit(1)));
    expect(run.state.value).toBe('open');
  });

  test('once, and counts each deposit once', () => {
    const run = given(opened, deposited);
    expect(run.types(see(1, { type: 'SessionOpened', session, client, terms }))).toEqual([]);
    expect(run.types(see(1, deposit(120)))).toEqual([]);
    expect(run.types(see(1, deposit(120, address(5))))).toEqual(['SessionDeposited']);
    expect(run.state.context.money.depositedWei).toBe('240');
  });
});

describe('a task', () => {
  test('sets its price bound aside', () => {
    const run = given(opened, deposited);
    const { events } = run.tell(submit);
    expect(events).toEqual([
      { ...submitted, by: router },
      { type: 'TimerSet', task, timer: 'queue', at: genesisAt + 60_000 },
    ]);
    expect(run.state).toMatchObject({
      value: 'suspended',
      context: { money: { balanceWei: '70', escrowedWei: '50' }, counts: { submitted: 1 } },
    });
  });

  test('costs its tokens, at most what session and submitter allow', () => {
    const of = (maxTokens: number, maxPriceWei: string | null) =>
      priceBound(terms, { promptTokens: 18, maxTokens, maxPriceWei: maxPriceWei === null ? null : wei(maxPriceWei) });
    expect([of(16, null), of(400, null), of(16, '20'), of(16, '90')]).toEqual(['50', '100', '20', '50']);
  });

  test('moves money only within the session, whatever becomes of it', () => {
    const happy = given(opened, deposited, submitted, ...Object.values(good)).state.context;
    expect(happy.money).toEqual({
      depositedWei: '120',
      balanceWei: '94',
      escrowedWei: '0',
      paidWei: '26',
      refundedWei: '0',
    });
    const sad = given(opened, deposited, submitted, good.queued, detours.failed, detours.refunded).state.context;
    expect(sad.money).toMatchObject({ balanceWei: '120', escrowedWei: '0', paidWei: '0' });
    expect(isConserved(happy.money) && isConserved(sad.money)).toBe(true);
    expect([happy.counts, sad.counts]).toEqual([
      { submitted: 1, settled: 1, refunded: 0 },
      { submitted: 1, settled: 0, refunded: 1 },
    ]);
  });

  test('is the same when it is asked for again, and refused when it is another', () => {
    const run = given(opened, deposited, submitted);
    expect(run.types(submit)).toEqual([]);
    expect(refusal(run, { ...submit, maxTokens: 17 })?.code).toBe('request_id_reused');
  });

  test('may come from the chain', () => {
    const run = given(opened, deposited);
    const onChain = { escrowWei: wei(40), place: place(5) };
    const { events, effects } = run.tell({ ...submit, onChain });
    expect(events[0]).toMatchObject({
      type: 'TaskSubmitted',
      maxPriceWei: '40',
      seen: seen(5),
      expiresAt: onChain.place.blockAt + 60_000,
    });
    expect(effects).toMatchObject([{ kind: 'selectMiners', afterBlock: 5 }]);
    expect(run.types({ ...submit, onChain })).toEqual([]);
  });

  test('costs what the chain has set aside, where that differs', () => {
    const run = given(opened, deposited, submitted);
    expect(run.types({ ...submit, onChain: { escrowWei: wei(90), place: place(5) } })).toEqual(['TaskQueuedOnChain']);
    expect(run.state.context.money).toMatchObject({ balanceWei: '30', escrowedWei: '90' });
  });

  test('from the chain waits where its money is set aside for tasks that are not there yet', () => {
    const run = given(opened, deposited, submitted);
    const fromChain: SubmitTask = {
      ...submit,
      requestId: bytes32(2),
      onChain: { escrowWei: wei(90), place: place(5) },
    };
    expect(refusal(run, fromChain)).toMatchObject({ code: 'balance_reserved', class: 'busy' });
    run.tell({
      type: 'TaskEffectFailed',
      task,
      effect: 'submitOnChain',
      code: 'chain_reverted',
      reason: 'InsufficientBalance',
    });
    expect(run.types(fromChain)).toEqual(['TaskSubmitted', 'TimerSet']);
  });

  test('of a size that no miner takes is cancelled at once where it comes from the chain', () => {
    const run = given(opened, deposited);
    const { events, effects } = run.tell({
      ...submit,
      maxTokens: 1_000_000,
      onChain: { escrowWei: wei(90), place: place(5) },
    });
    expect(events.at(-1)).toEqual({ type: 'TaskCancelRequested', task, reason: 'invalid_max_tokens' });
    expect(effects.at(-1)).toEqual({ kind: 'cancelOnChain', task });
  });

  test('has a timer until it is assigned or over', () => {
    const run = given(opened, deposited, submitted, detours.timerSet, good.queued);
    expect(run.timers()).toEqual([{ id: `${task}/queue`, at: submitted.expiresAt }]);
    expect(run.advanceTo(submitted.expiresAt).flatMap(({ effects }) => effects)).toEqual([
      { kind: 'expireOnChain', task },
    ]);
    expect(run.timers()).toEqual([]);
  });
});

describe('a session refuses', () => {
  test('what it cannot pay, and says how much is missing', () => {
    const rejected = refusal(given(opened, { ...deposited, amountWei: wei(30) }), submit);
    expect(rejected).toMatchObject({
      code: 'insufficient_balance',
      class: 'payment',
      details: { requiredWei: '50', balanceWei: '30', topUpWei: '20' },
    });
  });

  test('a bound on the price for which nothing could be delivered, and takes the least for which something could', () => {
    const run = given(opened, deposited);
    const { promptTokenWei, outputTokenWei } = terms;
    const least = BigInt(promptTokenWei) * BigInt(submit.promptTokens) + BigInt(outputTokenWei);
    expect(refusal(run, { ...submit, maxPriceWei: wei(least - 1n) })).toMatchObject({
      code: 'invalid_max_price',
      details: { leastWei: String(least) },
    });
    expect(refusal(run, { ...submit, maxPriceWei: wei(least) })).toBeUndefined();
  });

  test('routers, where its owner wants to submit alone', () => {
    const run = given({ ...opened, terms: { ...terms, routerMaySubmit: false } }, deposited);
    expect(refusal(run, submit)?.code).toBe('router_may_not_submit');
    expect(refusal(run, { ...submit, by: client })).toBeUndefined();
  });

  test.each([0, 1.5, limits.outputTokensMax + 1])('%d tokens', (maxTokens) => {
    expect(refusal(given(opened, deposited), { ...submit, maxTokens })?.code).toBe('invalid_max_tokens');
  });

  test.each([
    ['a task before it is opened', [], submit, 'session_not_found'],
    ['a deposit before it is opened', [], see(1, deposit(1)), 'session_not_found'],
    [
      'a task while it closes',
      [opened, deposited, { type: 'SessionDraining', seen: seen(9) }],
      submit,
      'session_closing',
    ],
    [
      'to cancel a task it does not have',
      [opened, deposited],
      { type: 'CancelTask', task, reason: '' },
      'task_not_found',
    ],
    [
      'a refund of another amount than was set aside',
      [opened, deposited, submitted, good.queued],
      {
        type: 'SeeTaskFact',
        fact: fact(9, { type: 'TaskRefunded', session, task, returnedWei: wei(49), reason: 'expired' }),
      },
      'escrow_mismatch',
    ],
    ['an end with another refund than its balance', [opened, deposited], see(9, closed(119)), 'refund_mismatch'],
    [
      'an end while the chain has tasks of it',
      [opened, deposited, submitted, good.queued],
      see(9, closed(70)),
      'refund_mismatch',
    ],
  ] as [string, SessionEvent[], SessionCommand, string][])('%s', (_, history, command, code) => {
    expect(refusal(given(...history), command)?.code).toBe(code);
  });

  test('one unfinished task more than its bound', () => {
    const run = given(opened, { ...deposited, amountWei: wei(50 * limits.sessionOpenTasksMax + 100) });
    run.checksJson = false;
    for (let index = 0; index < limits.sessionOpenTasksMax; index += 1)
      expect(refusal(run, { ...submit, requestId: bytes32(100 + index) })).toBeUndefined();
    expect(refusal(run, submit)).toMatchObject({ code: 'session_busy', class: 'busy' });
  });
});

describe('ended tasks', () => {
  test('are kept up to a bound, the newest', () => {
    const run = given(opened, deposited);
    run.checksJson = false;
    const ids = Array.from({ length: limits.sessionEndedTasksKept + 1 }, (_, index) => bytes32(100 + index));
    for (const requestId of ids) {
      run.tell({ ...submit, requestId });
      run.tell({
        type: 'TaskEffectFailed',
        task: taskId(session, requestId),
        effect: 'submitOnChain',
        code: 'chain_reverted',
        reason: '',
      });
    }
    const { tasks, ended } = run.state.context;
    expect([Object.keys(tasks).length, ended.length]).toEqual([0, limits.sessionEndedTasksKept]);
    expect(taskOf(run.state.context, taskId(session, ids[0]!))).toBeUndefined();
    expect(taskOf(run.state.context, taskId(session, ids[1]!))?.value).toBe('refunded');
    expect(run.state.context.counts.refunded).toBe(ids.length);
  });
});

describe('a session closes', () => {
  test('with all that was left', () => {
    const run = given(opened, deposited);
    expect(run.types(see(9, closed(120)))).toEqual(['SessionClosed']);
    expect(run.state).toMatchObject({ value: 'closed', context: { money: { balanceWei: '0', refundedWei: '120' } } });
    expect(run.types(see(9, closed(120)))).toEqual([]);
  });

  test('after its tasks', () => {
    const run = given(opened, deposited, submitted, good.queued);
    run.tell(see(5, { type: 'SessionDraining', session }));
    expect(run.state.value).toBe('draining');
    run.tell({
      type: 'SeeTaskFact',
      fact: fact(9, { type: 'TaskRefunded', session, task, returnedWei: wei(50), reason: 'expired' }),
    });
    expect(run.types(see(10, closed(120)))).toEqual(['SessionClosed']);
  });

  test('over tasks that were never on chain', () => {
    const run = given(opened, deposited, submitted, { ...submitted, task: otherTask });
    const { events } = run.tell(see(10, closed(120)));
    expect(events.map(({ type }) => type)).toEqual([
      'TaskFailed',
      'TaskRefunded',
      'TaskFailed',
      'TaskRefunded',
      'SessionClosed',
    ]);
    expect(run.state.context.money).toMatchObject({ escrowedWei: zeroWei, balanceWei: zeroWei, refundedWei: '120' });
  });
});

describe('a reorg', () => {
  test('takes a deposit back and may bring it again', () => {
    const run = given(opened, deposited);
    expect(run.types(unsee(1, deposit(120)))).toEqual(['SessionDepositReverted']);
    expect(run.state).toMatchObject({ value: 'suspended', context: { money: { depositedWei: '0' } } });
    expect(run.types(unsee(1, deposit(120)))).toEqual([]);
    expect(run.types(see(1, deposit(120)))).toEqual(['SessionDeposited']);
  });

  test('of a deposit that is spent already is noted only', () => {
    const run = given(opened, deposited, submitted);
    expect(run.types(unsee(1, deposit(120)))).toEqual(['ChainFactReverted']);
    expect(isConserved(run.state.context.money)).toBe(true);
    expect(run.types(see(1, deposit(120)))).toEqual(['ChainFactRestored']);
    expect(run.state.context.reverted).toEqual([]);
  });

  test("of a task's fact is noted until it comes again, and nothing is done twice", () => {
    const body = {
      type: 'TaskSubmitted',
      session,
      task,
      requestId: bytes32(1),
      by: router,
      promptDigest: cidToDigest(prompt),
      maxTokens: 16,
      maxPriceWei: wei(50),
    } as const;
    const run = given(opened, deposited, submitted, good.queued);
    expect(run.types(unsee(1, body))).toEqual(['ChainFactReverted']);
    expect(run.types(unsee(1, body))).toEqual([]);
    const again = run.tell({ type: 'SeeTaskFact', fact: fact(1, body) });
    expect(again.events.map(({ type }) => type)).toEqual(['ChainFactRestored']);
    expect(again.effects).toEqual([]);
  });
});

describe('keys', () => {
  const bind = (index: number): SessionCommand => ({ type: 'BindApiKey', keyHash: `key ${index}` });

  test('are bound and revoked, once each, up to a bound', () => {
    const run = given(opened, deposited);
    for (let index = 0; index < limits.sessionApiKeysMax; index += 1)
      expect(run.types(bind(index))).toEqual(['ApiKeyBound']);
    expect(run.types(bind(0))).toEqual([]);
    expect(refusal(run, bind(99))?.code).toBe('too_many_keys');
    expect(run.types({ type: 'RevokeApiKey', keyHash: 'key 0' })).toEqual(['ApiKeyRevoked']);
    expect(run.types({ type: 'RevokeApiKey', keyHash: 'key 0' })).toEqual([]);
    expect(run.types(bind(99))).toEqual(['ApiKeyBound']);
  });

  test('belong to an open session, but may be revoked after it', () => {
    expect(refusal(given(), bind(1))?.code).toBe('session_not_open');
    const run = given(opened, deposited);
    run.tell(bind(1));
    run.tell(see(9, closed(120)));
    expect(refusal(run, bind(2))).toMatchObject({
      code: 'session_not_open',
      hint: expect.stringContaining('open') as string,
    });
    expect(run.types({ type: 'RevokeApiKey', keyHash: 'key 1' })).toEqual(['ApiKeyRevoked']);
  });
});
