import { expect, test } from 'vitest';
import { streamId } from '../core/ids.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { TimerWheel } from './timer-wheel.ts';

const stream = streamId('miner', 'one');

function wheel(): { clock: VirtualClock; timers: TimerWheel; fired: string[] } {
  const clock = new VirtualClock({ startMs: 1_000, settle: () => Promise.resolve() });
  const fired: string[] = [];
  return { clock, fired, timers: new TimerWheel(clock, (of) => void fired.push(of)) };
}

test('a wheel has one alarm for a stream, which moves', async () => {
  const { clock, timers, fired } = wheel();
  timers.set(stream, 2_000);
  timers.set(stream, 3_000);
  expect(clock.nextAt()).toBe(3_000);
  await clock.advance(2_000);
  expect([fired, clock.nextAt()]).toEqual([[stream], undefined]);
});

test('a wheel that was cleared may be set again; one that is closed leaves no alarm', () => {
  const { clock, timers } = wheel();
  timers.set(stream, 2_000);
  timers.clear();
  expect(clock.nextAt()).toBeUndefined();
  timers.set(stream, 3_000);
  expect(clock.nextAt()).toBe(3_000);
  timers.close();
  timers.set(stream, 4_000);
  expect(clock.nextAt()).toBeUndefined();
});
