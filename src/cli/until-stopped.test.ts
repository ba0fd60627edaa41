import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { untilStopped } from './until-stopped.ts';

/** A process whose signals and time the test makes. */
function fakeProcess() {
  const signals = new EventEmitter();
  const exits: number[] = [];
  let now = 0;
  return {
    exits,
    source: { signals, nowMs: () => now, exit: (code: number) => void exits.push(code) },
    signal: (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP', atMs: number) => {
      now = atMs;
      signals.emit(name);
    },
  };
}

/** Whether a promise is fulfilled by now. */
async function isFulfilled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  await Promise.resolve();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test('the first signal asks to stop, the second to stop now, the third ends the process', async () => {
  const { source, signal, exits } = fakeProcess();
  const stopped = untilStopped(source);
  expect(await isFulfilled(stopped)).toBe(false);

  signal('SIGINT', 0);
  const { again } = await stopped;
  expect(await isFulfilled(again)).toBe(false);

  signal('SIGTERM', 1_000);
  expect(await isFulfilled(again)).toBe(true);
  expect(exits).toEqual([]);

  signal('SIGINT', 2_000);
  expect(exits).toEqual([130]);
});

test('signals that come together are one: npm repeats the Ctrl-C of the terminal', async () => {
  const { source, signal } = fakeProcess();
  const stopped = untilStopped(source);
  signal('SIGINT', 0);
  signal('SIGINT', 3);
  const { again } = await stopped;
  expect(await isFulfilled(again)).toBe(false);
});

test('a terminal that is closed asks to stop too', async () => {
  const { source, signal } = fakeProcess();
  const stopped = untilStopped(source);
  signal('SIGHUP', 0);
  expect(await isFulfilled(stopped)).toBe(true);
});
