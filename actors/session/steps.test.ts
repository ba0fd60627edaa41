import { beforeEach, describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { bytes32, client, fact, genesisAt, router, session, terms } from '../../test/actors/chain-facts.ts';
import { nextCommand } from '../../test/actors/session-commands.ts';
import { present } from '../../src/core/assert.ts';
import { cidToDigest, contentCid } from '../../src/core/cid.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, wei, zeroWei } from '../../src/core/wei.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';
import { isConserved } from './money.ts';
import type { PlannedTask, SubmitPlan } from './plan.ts';
import { taskOf } from './tasks.ts';

type Run = ActorRun<SessionContext, SessionCommand>;

const ids = [1, 2, 3].map((number) => taskId(session, bytes32(number)));
const [a, b, c] = ids as [TaskId, TaskId, TaskId];
let run: Run;
let block = 10;

beforeEach(() => {
  run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
  block = 10;
  run.tell({ type: 'SeeSessionFact', fact: fact(1, { type: 'SessionOpened', session, client, terms }) });
  const deposit = { type: 'SessionDeposited', session, from: client, amountWei: wei(1_000) } as const;
  run.tell({ type: 'SeeSessionFact', fact: fact(2, deposit) });
});

function step(number: number, after: readonly { name: string; task: TaskId }[] = []): PlannedTask {
  const prompt = contentCid({ number });
  return {
    name: `s${number}`,
    requestId: bytes32(number),
    prompt,
    promptTokens: 4,
    maxTokens: 16,
    maxPriceWei: null,
    after,
  };
}

/** A map of two, and what is made of both. */
const plan: SubmitPlan = {
  type: 'SubmitPlan',
  plan: bytes32(9),
  by: router,
  steps: [
    step(1),
    step(2),
    step(3, [
      { name: 's1', task: a },
      { name: 's2', task: b },
    ]),
  ],
};

const task = (id: TaskId) => present(taskOf(run.state.context, id), 'a task');
const types = (events: readonly { readonly type: string }[]): string[] => events.map(({ type }) => type);

/** Brings a task on its way until it is in a state. */
function bring(id: TaskId, state: string): ReturnType<Run['tell']> {
  let told: ReturnType<Run['tell']> | undefined;
  for (let tries = 0; task(id).value !== state; tries += 1) {
    if (tries > 40) throw new Error(`${id} does not come to ${state}`);
    block += 1;
    told = run.tell(nextCommand(task(id), block));
  }
  return present(told, 'what was told');
}

function onChain(...tasks: readonly TaskId[]): void {
  for (const id of tasks) run.tell(nextCommand(task(id), (block += 1)));
}

function refund(id: TaskId): ReturnType<Run['tell']> {
  const returnedWei = task(id).context.escrowWei;
  const body = { type: 'TaskRefunded', session, task: id, returnedWei, reason: 'cancelled' } as const;
  return run.tell({ type: 'SeeTaskFact', fact: fact((block += 1), body) });
}

describe('a plan', () => {
  test('is one commit with all of its steps, covered before the first one, and one transaction', () => {
    const { events, effects } = run.tell(plan);
    expect(types(events)).toEqual(['TaskSubmitted', 'TimerSet', 'TaskSubmitted', 'TimerSet', 'TaskSubmitted']);
    expect(effects).toEqual([{ kind: 'submitPlanOnChain', task: a, plan: bytes32(9) }]);
    expect(task(c).context).toMatchObject({ step: 1, plan: { name: 's3', place: 2 } });
    const escrows = ids.map((id) => task(id).context.escrowWei);
    expect(run.state.context.money.escrowedWei).toBe(addWei(...escrows));
  });

  test('is the same one again, and another under its id is refused', () => {
    run.tell(plan);
    expect(run.tell(plan).events).toEqual([]);
    const other = { ...plan, steps: [step(1), { ...step(2), prompt: contentCid('other') }, ...plan.steps.slice(2)] };
    expect(run.tell(other).rejection?.code).toBe('request_id_reused');
    expect(run.tell({ ...plan, steps: [step(3), step(4)] }).rejection?.code).toBe('request_id_reused');
    expect(run.tell({ ...plan, steps: plan.steps.slice(0, 2) }).rejection?.code).toBe('request_id_reused');
  });

  test('is refused whole where the balance covers only a part of it, or there is no room', () => {
    run.tell(plan);
    const steps = Array.from({ length: 16 }, (_, index) => ({ ...step(10 + index), maxTokens: 1_000 }));
    const poor = { ...plan, steps };
    const told = run.tell(poor);
    expect(told.rejection).toMatchObject({ code: 'insufficient_balance' });
    expect(Number(told.rejection?.details?.['requiredWei'])).toBe(16 * Number(terms.maxTaskPriceWei));
    expect(Object.keys(run.state.context.tasks)).toHaveLength(3);
  });

  test.each([
    ['no steps', []],
    ['too many', Array.from({ length: limits.planStepsMax + 1 }, (_, index) => step(20 + index))],
    ['a parent that comes later', [step(3, [{ name: 's1', task: a }]), step(1)]],
    ['a parent of another name', [step(1), step(3, [{ name: 's2', task: a }])]],
    [
      'a parent twice',
      [
        step(1),
        step(3, [
          { name: 's1', task: a },
          { name: 's1', task: a },
        ]),
      ],
    ],
    ['a name twice', [step(1), { ...step(2), name: 's1' }]],
  ])('with %s is refused', (_, steps) => {
    expect(run.tell({ ...plan, steps }).rejection?.code).toBe('plan_malformed');
  });

  test('is refused in a session that settles by batches', () => {
    const rules = { ...terms, settlement: 'batched' } as const;
    const updated = { type: 'SessionUpdated', session, version: 2, terms: rules } as const;
    run.tell({ type: 'SeeSessionFact', fact: fact(3, updated) });
    expect(run.tell(plan).rejection?.code).toBe('steps_unsupported');
  });
});

describe('a step', () => {
  test('gets miners once the last of those before it is settled, by a beacon and a clock from then on', () => {
    run.tell(plan);
    onChain(a, b, c);
    expect(task(c).context.timers).toEqual({});
    const first = bring(a, 'settled');
    expect(types(first.events)).toEqual(['TaskSettled', 'ParentSettled']);
    expect(first.effects.some(({ kind }) => kind === 'selectMiners')).toBe(false);
    const last = bring(b, 'settled');
    expect(types(last.events)).toEqual(['TaskSettled', 'ParentSettled', 'TimerSet']);
    const selection = last.effects.find(({ kind }) => kind === 'selectMiners');
    expect(selection).toMatchObject({ task: c, afterBlock: block });
    const won = ids.slice(0, 2).map((id) => task(id).context.slots[0]?.result);
    expect(task(c).context.settledParents?.map(({ result }) => result)).toEqual(won);
    expect(task(c).context.expiresAt).toBe(run.now + terms.queueTimeoutS * 1_000);
    bring(c, 'settled');
    expect(isConserved(run.state.context.money)).toBe(true);
  });

  test('fails with the one before it, in the same commit, and is refunded when the chain says so', () => {
    run.tell(plan);
    onChain(a, b, c);
    const told = refund(a);
    expect(types(told.events)).toEqual(['TaskFailed', 'TaskRefunded', 'ParentFailed']);
    expect(told.effects).toContainEqual({ kind: 'endStepOnChain', task: c });
    expect(types(bring(b, 'settled').events)).toEqual(['TaskSettled']);
    refund(c);
    expect(task(c).value).toBe('refunded');
    expect(task(c).context.failure?.code).toBe('parent_failed');
    expect(run.state.context.money.escrowedWei).toBe(zeroWei);
  });

  test('comes to nothing with the whole plan where the chain refuses it', () => {
    run.tell(plan);
    const refused = {
      type: 'TaskEffectFailed',
      effect: 'submitOnChain',
      code: 'chain_reverted',
      reason: 'No',
    } as const;
    const { events } = run.tell({ ...refused, task: a });
    expect(types(events)).toEqual(['TaskFailed', 'TaskRefunded', 'TaskFailed', 'TaskRefunded']);
    run.tell({ ...refused, task: b });
    expect(run.state.context.tasks).toEqual({});
    expect(run.state.context.money.balanceWei).toBe(wei(1_000));
  });

  test('waits for miners no longer than its queue time, counted from its parents’ end', () => {
    run.tell(plan);
    onChain(a, b, c);
    bring(a, 'settled');
    bring(b, 'settled');
    run.now = task(c).context.expiresAt;
    const { events, effects } = run.tell({ type: 'FireTaskTimer', task: c, timer: 'queue' });
    expect(types(events)).toEqual(['TimerFired', 'TaskCancelRequested']);
    expect(effects).toEqual([{ kind: 'cancelOnChain', task: c }]);
    refund(c);
    expect(task(c).context.failure?.code).toBe('task_expired');
  });

  test('says so where its prompt has become too long', () => {
    run.tell(plan);
    onChain(a, b, c);
    bring(a, 'settled');
    bring(b, 'settled');
    run.tell({ type: 'CancelTask', task: c, reason: 'step_prompt_too_long' });
    refund(c);
    expect(task(c).context.failure?.code).toBe('step_prompt_too_long');
  });

  test('ends where a reorg takes what it comes after away for good', () => {
    run.tell(plan);
    onChain(a, b, c);
    bring(a, 'settled');
    const { context } = task(a);
    const assigned = {
      type: 'MinersAssigned',
      session,
      task: a,
      miners: context.slots.map(({ miner }) => miner),
      validators: context.validators,
      beaconBlock: 1,
      beacon: bytes32(2),
      selectionDigest: bytes32(3),
      ackBy: genesisAt,
    } as const;
    run.tell({ type: 'UnseeFact', fact: fact(block, assigned) });
    run.now += limits.assignmentRestoreMs;
    const { events } = run.tell({ type: 'FireTaskTimer', task: a, timer: 'restore' });
    expect(types(events)).toEqual(['AssignmentLost', 'ParentFailed']);
    expect(task(c).context.cancelRequested).toBe(true);
  });
});

describe('a step that its owner puts on chain', () => {
  const asked = contentCid('template');
  const wanted = (after: readonly TaskId[]): SessionCommand => ({
    type: 'SubmitTask',
    requestId: bytes32(5),
    by: client,
    prompt: asked,
    promptTokens: 0,
    maxTokens: 16,
    maxPriceWei: null,
    step: 1,
    after: after.map((one, index) => ({ name: `p${index}`, task: one })),
    onChain: { escrowWei: wei(50), place: fact((block += 1), { type: 'SessionDraining', session }).place },
  });
  const id = taskId(session, bytes32(5));

  test('begins at once where all before it is settled', () => {
    run.tell(plan);
    onChain(a);
    bring(a, 'settled');
    const { events, effects } = run.tell(wanted([a]));
    expect(types(events)).toEqual(['TaskSubmitted', 'ParentSettled', 'TimerSet']);
    expect(effects.map(({ kind }) => kind)).toEqual(['selectMiners']);
  });

  test('waits for what goes on, and ends where what is before it is not known here', () => {
    run.tell(plan);
    onChain(a);
    expect(types(run.tell(wanted([a])).events)).toEqual(['TaskSubmitted']);
    const told = run.tell({ ...wanted([taskId(session, bytes32(77))]), requestId: bytes32(6) } as SessionCommand);
    expect(types(told.events)).toEqual(['TaskSubmitted', 'TaskCancelRequested']);
  });

  test('is not the one that was wanted where the chain has it come after others', () => {
    run.tell(plan);
    onChain(a, b);
    const { requestId, by, prompt, maxTokens, escrowWei } = task(c).context;
    const body = { type: 'TaskSubmitted', session, task: c, requestId, by, maxTokens, maxPriceWei: escrowWei } as const;
    const told = run.tell({
      type: 'SeeTaskFact',
      fact: fact((block += 1), { ...body, promptDigest: cidToDigest(prompt), step: 1, after: [a] }),
    });
    expect(types(told.events)).toEqual(['TaskCancelRequested', 'TaskQueuedOnChain']);
    expect(task(id === c ? id : c).context.cancelRequested).toBe(true);
  });
});
