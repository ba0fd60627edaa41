import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { address, bytes32, client, fact, place, prompt, router, session, task } from '../../test/actors/chain-facts.ts';
import { deposited, opened, wish } from '../../test/actors/samples/session.ts';
import { good, submitted } from '../../test/actors/samples/task.ts';
import type { ChainFact } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { TaskFact } from '../task/decide.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';
import type { SessionEvent } from './events.ts';
import { isConserved } from './money.ts';
import type { SubmitTask } from './submit.ts';
import { taskOf } from './tasks.ts';

type Run = ActorRun<SessionContext, SessionCommand>;
const given = (...history: SessionEvent[]): Run => {
  const run: Run = new ActorRun<SessionContext, SessionCommand>(sessionActor, history);
  run.checksJson = false;
  return run;
};
type Fact = Extract<ChainFact, { type: `Session${string}` }>;
const deposit = (block: number, amount: number, from = client, logIndex = 0) =>
  fact(block, { type: 'SessionDeposited', session, from, amountWei: wei(amount) }, logIndex);
const see = (one: ChainFact): SessionCommand => ({ type: 'SeeSessionFact', fact: one as Fact });
const unsee = (one: ChainFact): SessionCommand => ({ type: 'UnseeFact', fact: one });
const onChain = (block: number, requestId = bytes32(1)): SubmitTask => ({
  ...wish,
  requestId,
  onChain: { escrowWei: submitted.maxPriceWei, place: place(block) },
});
const submission = (block: number): ChainFact =>
  fact(block, {
    type: 'TaskSubmitted',
    session,
    task,
    requestId: bytes32(1),
    by: router,
    promptDigest: cidToDigest(prompt),
    maxTokens: 16,
    maxPriceWei: submitted.maxPriceWei,
  });
const refusal = (number: number): SessionCommand => ({
  type: 'TaskEffectFailed',
  task: taskId(session, bytes32(number)),
  effect: 'submitOnChain',
  code: 'chain_reverted',
  reason: '',
});

/** The newest block of the sample task's life. */
const lastBlock = good.settled.seen.block;
/** A session whose first task was settled and, since so many have ended after it, forgotten. */
function forgetful(): Run {
  const run = given(opened, deposited, submitted, ...Object.values(good));
  for (let number = 100; number < 100 + limits.sessionEndedTasksKept; number += 1) {
    run.tell({ ...wish, requestId: bytes32(number) });
    run.tell(refusal(number));
  }
  expect(taskOf(run.state.context, task)).toBeUndefined();
  return run;
}

describe('a task that has ended and was forgotten', () => {
  test('does not live again where the chain tells its life again', () => {
    const run = forgetful();
    const before = run.state;
    expect(run.types(onChain(good.queued.seen.block))).toEqual([]);
    const settled = { type: 'TaskSettled', session, task, priceWei: wei(26), returnedWei: wei(24) } as const;
    const again = fact(lastBlock, { ...settled, payments: [], manifestDigest: bytes32(8) });
    expect(run.types({ type: 'SeeTaskFact', fact: again })).toEqual([]);
    expect(run.state).toBe(before);
  });

  test('leaves room for what the newest block says beside it', () => {
    const run = forgetful();
    expect(run.types(onChain(lastBlock, bytes32(2)))).toEqual(['TaskSubmitted', 'TimerSet']);
  });

  test('stays forgotten where a reorg takes its submission back and gives it again', () => {
    const run = forgetful();
    const { money, counts } = run.state.context;
    expect(run.types(unsee(submission(3)))).toEqual(['ChainFactReverted']);
    expect(run.state.context.seenTo).toBe(3);
    const moved = { ...onChain(9), onChain: { escrowWei: wei(50), place: { ...place(9), txHash: place(3).txHash } } };
    expect(run.types(moved)).toEqual(['ChainFactRestored']);
    expect(run.state.context).toMatchObject({ money, counts, seenTo: 9, reverted: [] });
    // Where it does not come again, its id is free on chain, and here.
    run.tell(unsee(submission(3)));
    expect(run.types(onChain(10))).toEqual(['TaskSubmitted', 'TimerSet']);
  });

  test('says nothing any more through an effect that is refused late', () => {
    const run = forgetful();
    expect(run.tell({ type: 'TaskEffectFailed', task, effect: 'assignOnChain', code: 'c', reason: '' })).toEqual({
      events: [],
      effects: [],
      rejection: undefined,
    });
    expect(run.tell({ type: 'CancelTask', task, reason: '' }).rejection?.code).toBe('task_not_found');
  });
});

describe('a wish under the id of a forgotten task', () => {
  const exists = (submittedBlock: number): SessionCommand => ({ type: 'SeeTaskExists', task, submittedBlock });

  test('comes to nothing once the chain has refused it, and its money is back', () => {
    const run = forgetful();
    const { balanceWei } = run.state.context.money;
    run.tell(wish);
    const { events, effects } = run.tell(exists(good.queued.seen.block));
    expect(events).toMatchObject([
      { type: 'TaskFailed', code: 'request_id_reused' },
      { type: 'TaskRefunded', returnedWei: submitted.maxPriceWei, reason: 'never submitted', seen: null },
    ]);
    expect(effects.map(({ kind }) => kind)).toEqual(['recordOutcome']);
    expect(run.state.context.money).toMatchObject({ balanceWei, escrowedWei: '0' });
    expect(run.types(exists(good.queued.seen.block))).toEqual([]);
  });

  test('waits where the submission the chain speaks of may be news', () => {
    const run = forgetful();
    run.tell(wish);
    for (const block of [lastBlock, lastBlock + 1]) expect(run.types(exists(block))).toEqual([]);
    expect(run.types({ type: 'SeeTaskFact', fact: submission(lastBlock + 1) as TaskFact })).toEqual([
      'TaskQueuedOnChain',
    ]);
    expect(run.types(exists(lastBlock + 1))).toEqual([]);
  });

  test.each([
    ['SeeTaskFact', { type: 'SeeTaskFact', fact: submission(3) as TaskFact }],
    ['SubmitTask', onChain(3)],
  ] as [string, SessionCommand][])('is not taken for that task where the chain tells it again (%s)', (_, again) => {
    const run = forgetful();
    run.tell(wish);
    expect(run.types(again)).toEqual(['TaskFailed', 'TaskRefunded']);
    expect(isConserved(run.state.context.money)).toBe(true);
  });
});

test('a wish is not taken for a forgotten task that a reorg takes back and gives again', () => {
  const run = forgetful();
  run.tell(wish);
  run.tell(unsee(submission(3)));
  expect(run.types({ type: 'SeeTaskFact', fact: submission(3) as TaskFact })).toEqual([
    'ChainFactRestored',
    'TaskFailed',
    'TaskRefunded',
  ]);
});

describe('an id whose task never came onto the chain', () => {
  const unsent = (): Run => {
    const run = given(opened, deposited);
    run.tell(wish);
    run.tell(refusal(1));
    expect(run.state.context.ended).toMatchObject([{ value: 'refunded' }]);
    return run;
  };

  test('is free for one that does: the chain has the word', () => {
    const run = unsent();
    expect(run.types(onChain(5))).toEqual(['TaskSubmitted', 'TimerSet']);
    expect(run.state.context).toMatchObject({
      tasks: { [task]: { value: 'queued', context: { submittedBlock: 5, failure: null } } },
      ended: [],
      money: { balanceWei: '70', escrowedWei: '50' },
      counts: { submitted: 2, refunded: 1 },
    });
  });

  test('is used for whoever asks here: the same request gets the same end', () => {
    const run = unsent();
    expect(run.types(wish)).toEqual([]);
    expect(run.tell({ ...wish, maxTokens: 17 }).rejection?.code).toBe('request_id_reused');
  });

  test('is not free for what the chain told long ago', () => {
    const run = forgetful();
    run.tell(wish);
    run.tell({ type: 'SeeTaskExists', task, submittedBlock: good.queued.seen.block });
    expect(run.types(onChain(good.queued.seen.block))).toEqual([]);
  });
});

test('a task of the chain beyond the bound of unfinished ones is taken and ends at once', () => {
  const run = given(opened, { ...deposited, amountWei: wei(50 * (limits.sessionOpenTasksMax + 1)) });
  const tellOne = (number: number) => run.tell(onChain(5 + number, bytes32(100 + number)));
  for (let number = 0; number < limits.sessionOpenTasksMax; number += 1) expect(tellOne(number).events).toHaveLength(2);
  const { events, effects } = tellOne(limits.sessionOpenTasksMax);
  expect(events.at(-1)).toMatchObject({ type: 'TaskCancelRequested', reason: 'session_busy' });
  expect(effects.at(-1)).toMatchObject({ kind: 'cancelOnChain' });
});

describe('deposits', () => {
  const most = limits.sessionDepositBlocksKept;
  /** One deposit in each of so many blocks, the first in block 10. */
  function deposits(count: number): Run {
    const run = given(opened);
    for (let block = 10; block < 10 + count; block += 1) run.tell(see(deposit(block, 100)));
    return run;
  }

  test('can be undone as far back as any reorg reaches', () => {
    expect(most).toBeGreaterThanOrEqual(limits.chainWindowBlocksMax);
    const run = deposits(most);
    expect(run.state.context.deposits).toHaveLength(most);
    expect(run.types(see(deposit(10, 100)))).toEqual([]);
    expect(run.types(unsee(deposit(10, 100)))).toEqual(['SessionDepositReverted']);
    expect(run.state.context).toMatchObject({ money: { depositedWei: String(100 * (most - 1)) }, seenTo: 10 });
    expect(run.types(see(deposit(10, 100)))).toEqual(['SessionDeposited']);
  });

  test('of older blocks are forgotten, all of a block together, and still never counted twice', () => {
    const run = deposits(most);
    run.tell(see(deposit(9 + most, 100, address(7), 1)));
    expect(run.state.context.deposits).toHaveLength(most + 1);
    run.tell(see(deposit(10 + most, 100)));
    const { deposits: kept, money } = run.state.context;
    expect([kept.length, kept[0]?.block]).toEqual([most + 1, 11]);
    expect(run.types(see(deposit(10, 100)))).toEqual([]);
    expect(run.types(see(deposit(10, 100, address(7), 1)))).toEqual([]);
    expect(run.types(unsee(deposit(10, 100)))).toEqual([]);
    expect(run.state.context.money).toEqual(money);
  });
});

describe('facts that a reorg has taken back', () => {
  const most = limits.sessionRevertedFactsKept;
  const acked = (block: number, logIndex = 0): ChainFact =>
    fact(block, { type: 'TaskAcked', session, task, miner: address(1), precommitBy: 0 }, logIndex);

  test('are noted up to a bound; then the newest facts, which came first, lose their notes', () => {
    const run = given(opened, deposited);
    run.tell(see(deposit(10 + most, 1)));
    for (let block = most; block > 0; block -= 1) run.tell(unsee(acked(10 + block)));
    expect(run.state.context.reverted).toHaveLength(most);
    expect(run.types(unsee(acked(11)))).toEqual([]);
    expect(run.types(unsee(acked(10)))).toEqual(['ChainFactReverted']);
    expect(run.state.context.reverted).toHaveLength(most);
    const seeAgain = (block: number): SessionCommand => ({ type: 'SeeTaskFact', fact: acked(block) as TaskFact });
    expect(run.types(seeAgain(10))).toEqual(['ChainFactRestored']);
    expect(run.types(seeAgain(10 + most))).toEqual([]);
  });

  test('are passed over where they were never taken', () => {
    const run = given(opened, deposited);
    expect(run.types(unsee(acked(2)))).toEqual([]);
    expect(run.types(unsee(submission(2)))).toEqual([]);
    expect(run.types(onChain(2))).toEqual(['TaskSubmitted', 'TimerSet']);
  });

  test('are told apart where one transaction brought several of a type', () => {
    const run = given(opened, deposited, submitted, good.queued, good.selected, good.assigned);
    const two = [submission(3), { ...submission(3), task: taskId(session, bytes32(2)) } as ChainFact];
    for (const one of two) expect(run.types(unsee(one))).toEqual(['ChainFactReverted']);
    for (const one of two)
      expect(run.types({ type: 'SeeTaskFact', fact: one as TaskFact })).toEqual(['ChainFactRestored']);
  });

  test('need no note for an assignment to stand again', () => {
    const run = given(opened, deposited, submitted, good.queued, good.selected, good.assigned);
    const assignment = fact(3, {
      type: 'MinersAssigned',
      session,
      task,
      miners: [],
      validators: [],
      beaconBlock: 2,
      beacon: bytes32(2),
      selectionDigest: bytes32(3),
      ackBy: 0,
    });
    run.tell(unsee(assignment));
    for (let logIndex = 0; logIndex < most; logIndex += 1) run.tell(unsee(acked(2, logIndex)));
    expect(run.types({ type: 'SeeTaskFact', fact: assignment })).toEqual(['AssignmentRestored']);
  });
});
