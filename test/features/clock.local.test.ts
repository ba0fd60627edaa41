import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { clockFeatures } from './clock.features.ts';
import { aMoment } from './feature.ts';

const nothingToClose = (): Promise<void> => Promise.resolve();

/** Real time; a little more of it, so that on a busy machine what fell due in it has run. */
async function passForReal(ms: number): Promise<void> {
  await aMoment(ms);
  await aMoment(20);
}

clockFeatures('the system', async () => ({ clock: systemClock, pass: passForReal, close: nothingToClose }));

clockFeatures('virtual', async () => {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  return { clock, pass: (ms) => clock.advance(ms), close: nothingToClose };
});

describe('the system clock', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('keeps a deadline beyond what a platform timer can hold', async () => {
    vi.useFakeTimers();
    const dueMs = Date.now() + 2 ** 31 + 1_000;
    const ranAtMs: number[] = [];
    systemClock.at(dueMs, () => void ranAtMs.push(Date.now()));
    await vi.advanceTimersByTimeAsync(2 ** 31);
    expect(ranAtMs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ranAtMs).toEqual([dueMs]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is at most a minute late when the wall clock has jumped, as after a suspension', async () => {
    vi.useFakeTimers();
    let ran = false;
    systemClock.at(Date.now() + 3_600_000, () => {
      ran = true;
    });
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ran).toBe(true);
  });

  test('does not run a timer that the platform woke too early', async () => {
    vi.useFakeTimers();
    let ran = false;
    systemClock.at(Date.now() + 100, () => {
      ran = true;
    });
    vi.setSystemTime(Date.now() - 5);
    await vi.advanceTimersByTimeAsync(100);
    expect(ran).toBe(false);
    await vi.advanceTimersByTimeAsync(5);
    expect(ran).toBe(true);
  });
});

test('the system makes 32 random bytes, others each time', () => {
  const values = Array.from({ length: 100 }, () => systemRandom.bytes32());
  for (const value of values) expect(value).toMatch(/^0x[0-9a-f]{64}$/);
  expect(new Set(values).size).toBe(100);
});
