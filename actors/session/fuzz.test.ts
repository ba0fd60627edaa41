import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { client, fact, session, terms } from '../../test/actors/chain-facts.ts';
import { anyCommand, firstDeposit, nextCommand, tasks, toldIn } from '../../test/actors/session-commands.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { addWei, zeroWei } from '../../src/core/wei.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { taskEventTypes } from '../task/event-types.ts';
import { sessionActor } from './definition.ts';
import type { SessionEvent } from './events.ts';
import { isConserved } from './money.ts';
import { hasEnded, taskOf } from './tasks.ts';

const opening: readonly SessionCommand[] = [
  { type: 'SeeSessionFact', fact: fact(1, { type: 'SessionOpened', session, client, terms }) },
  {
    type: 'SeeSessionFact',
    fact: firstDeposit,
  },
];

type Run = ActorRun<SessionContext, SessionCommand>;

/** Money is where it must be, and what tasks hold is what the session has set aside. */
function expectSound({ state: { value, context } }: Run): void {
  expect(isConserved(context.money)).toBe(true);
  expect(addWei(...Object.values(context.tasks).map((known) => known.context.escrowWei))).toBe(
    context.money.escrowedWei,
  );
  for (const [id, known] of Object.entries(context.tasks)) {
    expect(known.context.task).toBe(id);
    expect(hasEnded(known)).toBe(false);
  }
  for (const known of context.ended) {
    expect(context.tasks[known.context.task]).toBeUndefined();
    expect([hasEnded(known), known.context.escrowWei]).toEqual([true, zeroWei]);
  }
  const isEmpty = context.money.balanceWei === zeroWei && context.money.escrowedWei === zeroWei;
  expect(isEmpty || value !== 'closed').toBe(true);
}

/** The end of the session as the chain would tell it: what nobody has put on chain comes back too. */
function closing({ state: { context } }: Run, inBlock: number): SessionCommand {
  const unsent = Object.values(context.tasks).filter((known) => known.context.submittedBlock === 0);
  const refundedWei = addWei(context.money.balanceWei, ...unsent.map((known) => known.context.escrowWei));
  return { type: 'SeeSessionFact', fact: fact(inBlock, { type: 'SessionClosed', session, refundedWei }) };
}

/** A reorg that takes the end back which the session has had. */
function unclosing({ state: { context } }: Run, inBlock: number): SessionCommand {
  const { refundedWei } = context.money;
  return { type: 'UnseeFact', fact: fact(inBlock, { type: 'SessionClosed', session, refundedWei }) };
}

type Wanted = SessionCommand | TaskId | 'close' | 'unclose';

/** A command as it is; for a task the one that comes next, if the session has it. */
function commandFor(run: Run, wanted: Wanted, inBlock: number, isNews: boolean): SessionCommand | undefined {
  if (wanted === 'close') return closing(run, inBlock);
  if (wanted === 'unclose') return unclosing(run, inBlock);
  if (typeof wanted !== 'string') return isNews ? toldIn(wanted, inBlock) : wanted;
  const known = taskOf(run.state.context, wanted);
  return known === undefined ? undefined : nextCommand(known, inBlock);
}

/** What the chain and the sender say at last about a task that nobody cares for any more. */
function endTask(run: Run, id: TaskId): void {
  const known = run.state.context.tasks[id];
  if (known === undefined) return;
  if (known.context.submittedBlock === 0) {
    run.tell({
      type: 'TaskEffectFailed',
      task: id,
      effect: 'submitOnChain',
      code: 'chain_reverted',
      reason: 'InsufficientBalance',
    });
  } else {
    const { escrowWei } = known.context;
    run.tell({
      type: 'SeeTaskFact',
      fact: fact(99, { type: 'TaskRefunded', session, task: id, returnedWei: escrowWei, reason: 'expired' }),
    });
  }
}

describe('whatever is said to a session, in any order,', () => {
  // Chaos alone never gets a task far: half of the steps are the ones that come next for some task.
  const step = fc.oneof(
    { weight: 20, arbitrary: anyCommand },
    { weight: 20, arbitrary: fc.constantFrom(...tasks) },
    { weight: 1, arbitrary: fc.constant('close' as const) },
    { weight: 3, arbitrary: fc.constant('unclose' as const) },
  );
  // What the chain says is mostly news, of a later block than all before; else it says what it said long ago.
  const isNews = fc.constantFrom(true, true, false);
  const sequences = fc.array(fc.tuple(step, fc.nat(20_000), isNews), { minLength: 1, maxLength: 120, size: 'max' });
  const eventTypes: SessionEvent['type'][] = [
    // Of tasks that are settled by batches: `batched.test.ts`.
    ...taskEventTypes.filter((type) => type !== 'TaskTaken' && type !== 'VerdictSigned'),
    'ApiKeyBound',
    'ApiKeyRevoked',
    'ChainFactRestored',
    'ChainFactReverted',
    'SessionClosed',
    'SessionCloseReverted',
    'SessionDepositReverted',
    'SessionDeposited',
    'SessionDraining',
    'SessionOpened',
  ];
  const codes = new Set<string>();
  const seen = new Set<string>();

  test('its state is sound after every command, every task can be ended and the session be closed', () => {
    fc.assert(
      fc.property(sequences, fc.constantFrom(true, true, true, false), (sequence, isOpen) => {
        const run: Run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
        // Every state is looked at below; whether it is plain JSON only at the end, because that takes longest.
        run.checksJson = false;
        if (isOpen) for (const first of opening) run.tell(first);
        for (const [index, [wanted, waitMs, news]] of sequence.entries()) {
          run.now += waitMs;
          const before = run.state;
          const command = commandFor(run, wanted, 40 + index, news);
          if (command === undefined) continue;
          const told = run.tell(command);
          if (told.rejection !== undefined) {
            codes.add(told.rejection.code);
          }
          expect(told.rejection === undefined || run.state === before).toBe(true);
          for (const { type } of told.events) seen.add(type);
          expectSound(run);
        }
        run.checksJson = true;
        for (const id of tasks) endTask(run, id);
        expectSound(run);
        const { value, context } = run.state;
        expect(context.tasks).toEqual({});
        expect(context.money.escrowedWei).toBe(zeroWei);
        if (value === 'opening' || value === 'closed') return;
        run.tell(closing(run, 200));
        expect(run.state.value).toBe('closed');
        expectSound(run);
        for (const { type } of run.tell(unclosing(run, 200)).events) seen.add(type);
        expect(run.state.value).toBe('draining');
        expectSound(run);
        run.tell(closing(run, 201));
        expect(run.state.value).toBe('closed');
        expectSound(run);
      }),
      { numRuns: 800, seed: 20_262 },
    );
  });

  test('and that has led to every event and every reason to refuse', () => {
    expect([...seen].toSorted()).toEqual(eventTypes.toSorted());
    expect([...codes].toSorted()).toEqual([
      'balance_reserved',
      'beacon_too_early',
      'claims_missing',
      'escrow_mismatch',
      'insufficient_balance',
      'invalid_max_price',
      'invalid_max_tokens',
      'offer_closed',
      'plan_malformed',
      'refund_mismatch',
      'request_id_reused',
      'session_closing',
      'session_not_found',
      'session_not_open',
      'task_not_cancellable',
      'task_not_found',
    ]);
  });
});
