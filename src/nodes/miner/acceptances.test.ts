import { describe, expect, test } from 'vitest';
import { alice, bob, bytes32, fact, session, task } from '../../../test/actors/chain-facts.ts';
import { taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { QueueMessage } from '../../ports/queue-messages.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { Changes } from '../carry/changes.ts';
import { Acceptances, type AcceptancesOptions } from './acceptances.ts';

const body = { session, task, step: 0, attempt: 0, model: 'pebble-chat', beaconBlock: 7 };
const other = taskId(session, bytes32(2));
const signature = { r: bytes32(1), vs: bytes32(2) };

function acceptances({ places = 1, keeps = false, draining = false } = {}) {
  const clock = new VirtualClock({ startMs: 1_000 });
  const signed: [string, QueueMessage][] = [];
  const chain = {
    sign: async (by: string, message: QueueMessage) => {
      signed.push([by, message]);
      return signature;
    },
  };
  const base = { identity: { address: alice }, ports: { clock, chain } } as unknown as AcceptancesOptions['base'];
  const made: Acceptances = new Acceptances({
    base,
    changes: new Changes(),
    models: ['pebble-chat'],
    keepsPlace: () => keeps,
    hasFreePlace: () => places - made.held > 0,
    isDraining: () => draining,
  });
  return { made, clock, signed };
}

const acked = (miner = alice) => fact(3, { type: 'TaskAcked', session, task, miner, precommitBy: 9_000 });

describe('a miner that is asked beforehand', () => {
  test('signs for the block the task is drawn by, and keeps a place for it', async () => {
    const { made, signed } = acceptances();
    expect(await made.accept(body)).toEqual({ signature });
    expect(signed).toEqual([[alice, { is: 'Acceptance', task, step: 0, attempt: 0, beaconBlock: 7 }]]);
    expect([made.held, made.hasAccepted(task), made.hasAccepted(other)]).toEqual([1, true, false]);
  });

  test('accepts no more than it can do, but the same task again', async () => {
    const { made } = acceptances();
    await made.accept(body);
    await expect(made.accept({ ...body, task: other })).rejects.toMatchObject({ code: 'miner_busy' });
    expect(await made.accept({ ...body, beaconBlock: 8 })).toEqual({ signature });
    made.release(task);
    expect(await made.accept({ ...body, task: other })).toEqual({ signature });
  });

  test('has its place back when the job does not come', async () => {
    const { made, clock } = acceptances();
    await made.accept(body);
    await clock.advance(limits.claimedJobMsMax - 1);
    expect(made.held).toBe(1);
    await clock.advance(1);
    expect(made.held).toBe(0);
  });

  test('keeps no second place for a task that it has claimed', async () => {
    const { made } = acceptances({ places: 0, keeps: true });
    expect(await made.accept(body)).toEqual({ signature });
    expect(made.held).toBe(0);
  });

  test('signs nothing more once it drains, also for what it has claimed', async () => {
    const { made, signed } = acceptances({ keeps: true, draining: true });
    await expect(made.accept(body)).rejects.toMatchObject({ code: 'miner_draining', class: 'unavailable' });
    expect([signed, made.tasks()]).toEqual([[], []]);
  });

  test('refuses a model that it does not serve', async () => {
    const { made, signed } = acceptances();
    await expect(made.accept({ ...body, model: 'other' })).rejects.toMatchObject({ code: 'model_not_served' });
    expect(signed).toEqual([]);
  });

  test('remembers its own acknowledgement, until a reorg takes it back', () => {
    const { made } = acceptances();
    made.note(acked(bob));
    made.note(fact(3, { type: 'SessionDraining', session }));
    expect(made.ackOf(task)).toBeUndefined();
    made.note(acked());
    expect(made.ackOf(task)).toEqual(acked());
    made.forget(acked(bob));
    expect(made.ackOf(task)).toEqual(acked());
    made.forget(acked());
    expect(made.ackOf(task)).toBeUndefined();
  });
});
