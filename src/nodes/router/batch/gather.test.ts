import { describe, expect, it } from 'vitest';
import { emptySession, type SessionContext } from '../../../../actors/session/context.ts';
import { emptyTask, type SlotPhase, type TaskContext } from '../../../../actors/task/context.ts';
import { freshSlot } from '../../../../actors/task/slots.ts';
import { contentCid } from '../../../core/cid.ts';
import type { Folded } from '../../../core/fold.ts';
import { keccakWords } from '../../../core/hash.ts';
import { type SessionId, sessionId, type TaskId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import { plainTerms } from '../../../core/session-terms.ts';
import { wei } from '../../../core/wei.ts';
import { accountOf } from '../../../../test/kit/batch-sample.ts';
import { dueCommands } from './deadlines.ts';
import { batchTask, gatherMs, nextBatch, readyTasks } from './gather.ts';

const [alice, bob, carol, router] = [1, 2, 3, 4].map(accountOf) as [
  ReturnType<typeof accountOf>,
  ReturnType<typeof accountOf>,
  ReturnType<typeof accountOf>,
  ReturnType<typeof accountOf>,
];
const sessionOf = (number: number): SessionId => sessionId(31_337, accountOf(900), number);
const taskOf = (number: number): TaskId => keccakWords([number]) as TaskId;

/** A task of two miners that are in these phases. */
function task(number: number, phases: readonly SlotPhase[], change: Partial<TaskContext> = {}): TaskContext {
  const slots = phases.map((phase, index) => {
    const slot = { ...freshSlot([alice, bob][index] ?? carol, 0, 1_000), phase };
    return phase === 'precommitted' ? { ...slot, hash: keccakWords([number, index]) } : slot;
  });
  const of = { task: taskOf(number), batched: true, ranking: [alice, bob, carol], escrowWei: wei(50) } as const;
  return { ...emptyTask, ...of, slots, ...change };
}

function session(number: number, value: string, ...tasks: readonly TaskContext[]): Folded<SessionContext> {
  const terms = {
    ...plainTerms,
    model: 'pebble-chat',
    redundancy: 2,
    validators: 1,
    similarityBps: 0,
    level: 1,
    routerMaySubmit: true,
    maxTaskPriceWei: wei(100),
    promptTokenWei: wei(1),
    outputTokenWei: wei(2),
    queueTimeoutS: 60,
    ackTimeoutS: 5,
    executeTimeoutS: 30,
    revealTimeoutS: 10,
    validateTimeoutS: 20,
    routers: [router],
  };
  const folded = Object.fromEntries(tasks.map((one) => [one.task, { value, context: one }]));
  return { value: 'open', context: { ...emptySession, session: sessionOf(number), terms, tasks: folded } };
}

describe('what a batch is made of', () => {
  const both = ['precommitted', 'precommitted'] as const;

  it('are tasks whose miners have all precommitted, that nobody has bound and nobody wants gone', () => {
    const member = { batch: 1, poster: router, position: 0, leaves: contentCid('x'), block: 1 };
    const state = session(
      1,
      'executing',
      task(1, both),
      task(2, ['precommitted', 'acked']),
      task(3, both, { cancelRequested: true }),
      task(4, both, { batch: member }),
      task(5, []),
      task(6, both),
    );
    const ready = readyTasks(new Map([[sessionOf(1), state]]), new Set([taskOf(6)]));
    expect(ready.map((one) => one.task.task)).toEqual([taskOf(1)]);
    expect(batchTask(ready[0]!)).toMatchObject({
      number: 1,
      maxPriceWei: wei(50),
      slots: [{ miner: alice }, { miner: bob }],
    });
    const perTask = session(2, 'executing', { ...task(7, both), batched: undefined as never });
    expect(readyTasks(new Map([[sessionOf(2), perTask]]), new Set())).toEqual([]);
  });

  it('are no more tasks and sessions than one takes', () => {
    const ready = Array.from({ length: limits.batchGatheredTasksMax + 5 }, (_, index) => ({
      session: sessionOf(index % 20),
      task: task(index, both),
    }));
    expect(nextBatch(ready.filter((_, index) => index % 20 === 0)).length).toBe(14);
    expect(new Set(nextBatch(ready).map((one) => one.session)).size).toBe(limits.batchSessionsMax);
    const alone = nextBatch(ready, 1);
    expect(new Set(alone.map((one) => one.session))).toEqual(new Set([sessionOf(0)]));
    const same = ready.map((one) => ({ ...one, session: sessionOf(1) }));
    expect(nextBatch(same)).toHaveLength(limits.batchGatheredTasksMax);
  });

  it('waits the longer the more batches wait for their windows, and never so long that none would fit', () => {
    expect([0, 7, 8, 16, 63].map(gatherMs)).toEqual([1_000, 1_000, 2_000, 4_000, 128_000]);
    let minutes = 0;
    for (let open = 0; open < limits.batchesPostedMax; open += 1) minutes += gatherMs(open) / 60_000;
    expect(minutes).toBeLessThan(60);
  });
});

describe('the owner of a batched session', () => {
  const kinds = (state: Folded<SessionContext>, now: number): string[] =>
    dueCommands(state, router, now).map((command) => ('fact' in command ? command.fact.type : command.type));

  it('gives a late miner’s place to the next in rank, a few times, and then to nobody', () => {
    const late = session(1, 'executing', task(1, ['precommitted', 'acked']));
    expect(dueCommands(late, router, 999)).toEqual([]);
    expect(dueCommands(late, router, 1_000)).toMatchObject([
      { fact: { type: 'MinerReassigned', miner: bob, replacement: carol, oracle: router, place: null } },
    ]);
    const tried = task(1, ['precommitted', 'acked'], { timedOut: [5, 6, 7, 8, 9].map(accountOf) });
    expect(dueCommands(session(1, 'executing', tried), router, 1_000)).toMatchObject([{ fact: { replacement: null } }]);
  });

  it('gives up a task that has too few miners left, or of which nobody shows anything', () => {
    expect(kinds(session(1, 'executing', task(1, [])), 0)).toEqual(['GiveUpTask']);
    expect(kinds(session(1, 'precommitted', task(1, [])), 0)).toEqual(['GiveUpTask']);
  });

  it('drops who does not show its result, and goes on once all others have', () => {
    const waits = session(1, 'precommitted', task(1, ['committed', 'precommitted']));
    expect(kinds(waits, 999)).toEqual([]);
    expect(dueCommands(waits, router, 1_000)).toMatchObject([{ fact: { miner: bob, replacement: null } }]);
    expect(kinds(session(1, 'precommitted', task(1, ['committed'])), 0)).toEqual(['AllRevealed']);
  });

  it('waits for validators until they are late, and for none at level 0', () => {
    const judged = (level: number) =>
      session(1, 'committed', task(1, ['committed', 'committed'], { level, attestBy: 500 }));
    expect(kinds(judged(1), 499)).toEqual([]);
    expect(kinds(judged(1), 500)).toEqual(['GiveUpTask']);
    expect(dueCommands(judged(0), router, 0)).toMatchObject([
      { fact: { type: 'ResultValidated', winner: alice, honest: [alice, bob] } },
    ]);
  });
});
