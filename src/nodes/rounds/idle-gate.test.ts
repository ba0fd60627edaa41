import { expect, test } from 'vitest';
import { errorCode, PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { IdleGate } from './idle-gate.ts';

/** A gate of two nodes, on a clock that is moved by hand. */
function gateOfTwo() {
  const clock = new VirtualClock({ settle: () => new Promise((resolve) => void setImmediate(resolve)) });
  const gate = new IdleGate();
  const inHand = { one: 0, two: 0 };
  gate.watch(() => inHand.one);
  gate.watch(() => inHand.two);
  const stop = new AbortController();
  return { clock, gate, inHand, stop };
}

/** Work that ends when it is told to, or when it is aborted. */
function work() {
  const done = Promise.withResolvers<string>();
  const run = (signal: AbortSignal): Promise<string> => {
    signal.addEventListener('abort', () => done.reject(signal.reason as Error), { once: true });
    return done.promise;
  };
  return { run, end: () => done.resolve('made') };
}

test('nothing is begun while any node of the process has something in hand', async () => {
  const { clock, gate, inHand, stop } = gateOfTwo();
  inHand.two = limits.idleInHandMax + 1;
  expect(gate.isIdle).toBe(false);
  const run = gate.run(clock, () => true, work().run, stop.signal);
  await expect(run).rejects.toMatchObject({ code: 'idle_work_waits' });
  await expect(run).rejects.toBeInstanceOf(NotYet);
});

test('work goes to its end where nothing comes', async () => {
  const { clock, gate, inHand, stop } = gateOfTwo();
  inHand.one = limits.idleInHandMax;
  const { run, end } = work();
  const running = gate.run(clock, () => true, run, stop.signal);
  await clock.advance(10 * limits.idleLookMs);
  end();
  expect(await running).toBe('made');
});

/** The code of what something failed with, noticed as soon as it fails. */
function codeOf(running: Promise<unknown>): Promise<string> {
  return running.then(
    () => 'nothing',
    (error: unknown) => errorCode(error),
  );
}

test.each(['task', 'use'] as const)(
  'work gives way to a task within a look, and where it is of no use: %s',
  async (gives) => {
    const { clock, gate, inHand, stop } = gateOfTwo();
    let isWanted = true;
    const code = codeOf(gate.run(clock, () => isWanted, work().run, stop.signal));
    await clock.advance(limits.idleLookMs);
    if (gives === 'task') inHand.one = limits.idleInHandMax + 1;
    else isWanted = false;
    await clock.advance(limits.idleLookMs);
    expect(await code).toBe('idle_work_waits');
  },
);

test('its own errors and a stop are what they are', async () => {
  const { clock, gate, stop } = gateOfTwo();
  const broken = gate.run(
    clock,
    () => true,
    () => Promise.reject(new PouwError('broken', 'It broke.')),
    stop.signal,
  );
  await expect(broken).rejects.toMatchObject({ code: 'broken' });
  const code = codeOf(gate.run(clock, () => true, work().run, stop.signal));
  stop.abort(new PouwError('stopped', 'It stops.'));
  expect(await code).toBe('stopped');
});
