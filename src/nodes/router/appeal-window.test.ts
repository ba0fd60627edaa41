import { describe, expect, test } from 'vitest';
import { type SessionId, type TaskId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ChainFinality, ChainTaskRecord } from '../../ports/queue-messages.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import type { NodePorts } from '../ports.ts';
import { heldUntil, requireFinal } from './appeal-window.ts';

const task = `0x${'07'.repeat(32)}` as TaskId;
const startMs = 1_000_000;

const record = (finality: ChainFinality, phaseBy: number, state: ChainTaskRecord['state'] = 'validated') =>
  ({
    session: '31337-abababab-1' as SessionId,
    state,
    step: 0,
    submittedBlock: 1,
    router: toAddress(`0x${'0b'.repeat(20)}`),
    outcome: undefined,
    phaseBy,
    finality,
    slots: [],
    validators: [{ validator: toAddress(`0x${'0a'.repeat(20)}`), hasAttested: true }],
  }) satisfies ChainTaskRecord;

/** Waits for the end of an appeal window on a chain that tells one record after the other, the last one for ever. */
function waiting(...records: (ChainTaskRecord | undefined)[]) {
  return waitingFor(true, ...records);
}

function waitingFor(isRuledHere: boolean, ...records: (ChainTaskRecord | undefined)[]) {
  const clock = new VirtualClock({ startMs, settle: () => new Promise((resolve) => void setImmediate(resolve)) });
  const stop = new AbortController();
  let looks = 0;
  const chain = { task: async () => records[Math.min(looks++, records.length - 1)] };
  const ports = { chain, clock } as unknown as NodePorts;
  let isOver = false;
  const done = requireFinal(ports, task, stop.signal, async () => isRuledHere).then(() => {
    isOver = true;
  });
  return { clock, stop, done, isOver: () => isOver, looks: () => looks };
}

describe('a task is settled', () => {
  test('at once where it has no window, is ruled on, has ended or is unknown', async () => {
    for (const held of [
      record('immediate', startMs + 60_000),
      record('ruled', 0),
      record('appealable', startMs + 60_000, 'settled'),
      undefined,
    ]) {
      expect(heldUntil(held)).toBeUndefined();
      const { done, looks } = waiting(held);
      await done;
      expect(looks()).toBe(1);
    }
  });

  test('in the second after its window, not before', async () => {
    const { clock, done, isOver } = waiting(record('appealable', startMs + 500), record('immediate', 0));
    await clock.advance(1_499);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    await done;
  });

  test('later where somebody appeals at the last moment', async () => {
    const appealed = record('appealed', startMs + 60_000);
    const { clock, done } = waiting(record('appealable', startMs + 500), appealed);
    const refused = done.catch((error: unknown) => error);
    await clock.advance(1_500);
    expect(await refused).toMatchObject({ code: 'outcome_not_final' });
  });

  test('another time where there is long to wait, which is no failure', async () => {
    for (const finality of ['appealable', 'appealed'] as const) {
      const { done } = waiting(record(finality, startMs + limits.appealWaitMsMax));
      await expect(done).rejects.toBeInstanceOf(NotYet);
      await expect(done).rejects.toMatchObject({ code: 'outcome_not_final', class: 'unavailable' });
    }
    const { clock, done } = waiting(
      record('appealable', startMs + limits.appealWaitMsMax - 1_000),
      record('immediate', 0),
    );
    await clock.advance(limits.appealWaitMsMax);
    await done;
  });

  test('once the log has the ruling too, or it would be settled by another outcome', async () => {
    for (const state of ['validated', 'settled'] as const) {
      const { done } = waitingFor(false, record('ruled', 0, state));
      await expect(done).rejects.toMatchObject({ code: 'outcome_not_final' });
    }
    await waitingFor(false, record('immediate', 0)).done;
  });

  test('by somebody else where the router stops', async () => {
    const { stop, done } = waiting(record('appealable', startMs));
    const refused = done.catch((error: unknown) => error);
    await new Promise((resolve) => void setImmediate(resolve));
    stop.abort();
    expect(await refused).toMatchObject({ name: 'AbortError' });
  });
});
