import { describe, expect, test } from 'vitest';
import { emptySession } from '../../../actors/session/context.ts';
import { foldTask } from '../../../actors/task/machine.ts';
import { foldEvents } from '../../../test/actors/actor-run.ts';
import { bytes32, session } from '../../../test/actors/chain-facts.ts';
import { detours, good, submitted } from '../../../test/actors/samples/task.ts';
import { type TaskId, taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { WaitingRoom } from './waiting-room.ts';

const model: string = submitted.model;
const other = 'another-model';
const ids = Array.from({ length: 12 }, (_, index) => taskId(session, bytes32(index + 1)));
const id = (index: number): TaskId => ids[index] as TaskId;
const full = expect.objectContaining({ code: 'queue_full', class: 'busy' }) as Error;

function room(most = 3) {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const waiting = new WaitingRoom(clock, most);
  /** A submission that the log takes. */
  const submit = (index: number, of = model): Promise<void> =>
    waiting.admit(session, id(index), of, async () => {
      waiting.apply(session, [{ ...submitted, task: id(index), model: of }]);
    });
  const leave = (index: number): void => waiting.apply(session, [{ ...good.assigned, task: id(index) }]);
  return { clock, waiting, submit, leave };
}

describe('a router takes tasks', () => {
  test('up to its bound of those that wait for their miners, of each model, and again once one has them', async () => {
    const { waiting, submit, leave } = room(3);
    for (const index of [0, 1, 2]) await submit(index);
    await expect(submit(3)).rejects.toThrow(full);
    await submit(4, other);
    expect(waiting.counts()).toEqual(
      new Map([
        [model, 3],
        [other, 1],
      ]),
    );
    leave(1);
    await submit(3);
    await expect(submit(5)).rejects.toThrow(full);
  });

  test('no more than that where many come at the same moment', async () => {
    const { waiting, submit } = room(3);
    const all = await Promise.allSettled(ids.map((_, index) => submit(index)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(waiting.counts().get(model)).toBe(3);
  });

  test('without asking the session where there is no room, so that nothing of a refused task is left', async () => {
    const { waiting, submit } = room(1);
    await submit(0);
    let asked = 0;
    const refused = waiting.admit(session, id(1), model, async () => void (asked += 1));
    await expect(refused).rejects.toThrow(full);
    expect(asked).toBe(0);
  });

  test('again under the same id while it waits, whatever the others are', async () => {
    const { waiting, submit } = room(1);
    await submit(0);
    await submit(0);
    expect(waiting.counts().get(model)).toBe(1);
  });

  test('and keeps no place for one that its session refuses, or that is over', async () => {
    const { waiting, submit } = room(1);
    const refused = waiting.admit(session, id(0), model, () => Promise.reject(new Error('insufficient_balance')));
    await expect(refused).rejects.toThrow('insufficient_balance');
    await waiting.admit(session, id(1), model, async () => {});
    expect(waiting.counts()).toEqual(new Map());
    await submit(2);
  });

  test.each([{ end: good.assigned }, { end: detours.failed }, { end: detours.refunded }, { end: good.settled }])(
    'and counts it no longer after $end.type',
    async ({ end }) => {
      const { waiting, submit } = room();
      await submit(0);
      waiting.apply(session, [{ ...end, task: id(0) }]);
      expect(waiting.counts()).toEqual(new Map());
    },
  );

  test('of a session that it takes up as they are, and lets them go with it', () => {
    const { waiting } = room();
    const queued = foldEvents(foldTask, foldTask.initial, [submitted]).state;
    const assigned = foldEvents(foldTask, queued, [good.queued, good.selected, good.assigned]).state;
    waiting.adopt(session, { ...emptySession, tasks: { [submitted.task]: queued } });
    expect(waiting.counts().get(model)).toBe(1);
    waiting.adopt(session, { ...emptySession, tasks: { [submitted.task]: assigned } });
    expect(waiting.counts()).toEqual(new Map());
    waiting.adopt(session, { ...emptySession, tasks: { [submitted.task]: queued } });
    waiting.forget(session);
    expect(waiting.counts()).toEqual(new Map());
  });

  test('none while the queue of offers is full, but for the first, which finds out whether it still is', async () => {
    const { waiting, submit, leave } = room();
    await submit(0);
    waiting.noteQueue(model, true);
    await expect(submit(1)).rejects.toThrow(full);
    leave(0);
    await submit(1);
    waiting.noteQueue(model, true);
    await expect(submit(2)).rejects.toThrow(full);
    waiting.noteQueue(model, false);
    await submit(2);
  });
});

describe('a refused client is told to come again', () => {
  const retryAfter = async ({ submit }: ReturnType<typeof room>): Promise<unknown> => {
    const refusal = await submit(11).catch((error: unknown) => error);
    return (refusal as { details: { retryAfterMs: unknown } }).details.retryAfterMs;
  };

  test('at the latest bound where nothing has left yet', async () => {
    const at = room(2);
    for (const index of [0, 1]) await at.submit(index);
    expect(await retryAfter(at)).toBe(limits.retryAfterMsMax);
  });

  test('when an eighth of the queue has drained, at the pace of the newest departures', async () => {
    const at = room(8);
    for (const index of [0, 1, 2, 3, 4, 5, 6, 7]) await at.submit(index);
    at.leave(0);
    await at.clock.advance(6_000);
    at.leave(1);
    for (const index of [8, 9]) await at.submit(index);
    // Two in 6 s, so one in 3 s: an eighth of eight.
    expect(await retryAfter(at)).toBe(3_000);
  });

  test('not sooner and not later than its bounds', async () => {
    const at = room(2);
    for (const index of [0, 1]) await at.submit(index);
    at.leave(0);
    await at.submit(2);
    expect(await retryAfter(at)).toBe(limits.retryAfterMsMin);
    await at.clock.advance(3_600_000);
    expect(await retryAfter(at)).toBe(limits.retryAfterMsMax);
  });
});
