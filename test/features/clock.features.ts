import { expect } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';

/** A clock, and how time passes on it: by waiting, or by a word. */
export interface ClockHarness extends Disposable {
  readonly clock: Clock;
  readonly pass: (ms: number) => Promise<void>;
}

const day = 86_400_000;

/** What a clock promises. */
export const clockFeatureList: readonly Feature<ClockHarness>[] = [
  {
    name: 'goes forward',
    check: async ({ clock, pass }) => {
      const startMs = clock.now();
      await pass(20);
      expect(clock.now()).toBeGreaterThanOrEqual(startMs + 20);
    },
  },
  {
    name: 'runs a timer once, at its time and not before, and never inside the call that sets it',
    check: async ({ clock, pass }) => {
      const dueMs = clock.now() + 20;
      const ranAtMs: number[] = [];
      clock.at(dueMs, () => void ranAtMs.push(clock.now()));
      expect(ranAtMs).toEqual([]);
      await pass(60);
      expect(ranAtMs).toHaveLength(1);
      expect(ranAtMs[0]).toBeGreaterThanOrEqual(dueMs);
    },
  },
  {
    name: 'runs timers in the order of their times',
    check: async ({ clock, pass }) => {
      const order: number[] = [];
      for (const ms of [40, 10, 25]) clock.at(clock.now() + ms, () => void order.push(ms));
      await pass(80);
      expect(order).toEqual([10, 25, 40]);
    },
  },
  {
    name: 'runs a timer for a time that has passed soon, not at once',
    check: async ({ clock, pass }) => {
      let ran = false;
      clock.at(clock.now() - day, () => {
        ran = true;
      });
      expect(ran).toBe(false);
      await pass(20);
      expect(ran).toBe(true);
    },
  },
  {
    name: 'forgets a timer that is disposed of, before or after its time',
    check: async ({ clock, pass }) => {
      let runs = 0;
      const count = (): void => void (runs += 1);
      clock.at(clock.now() + 20, count)();
      const forgetLater = clock.at(clock.now() + 10, count);
      await pass(50);
      forgetLater();
      expect(runs).toBe(1);
    },
  },
  {
    name: 'keeps a timer for a day far away, without running it now',
    check: async ({ clock, pass }) => {
      let ran = false;
      const forget = clock.at(clock.now() + 400 * day, () => {
        ran = true;
      });
      await pass(30);
      forget();
      expect(ran).toBe(false);
    },
  },
  {
    name: 'lets a timer set another one',
    check: async ({ clock, pass }) => {
      const ran: string[] = [];
      clock.at(clock.now() + 10, () => {
        ran.push('first');
        clock.at(clock.now() + 10, () => void ran.push('second'));
      });
      await pass(60);
      expect(ran).toEqual(['first', 'second']);
    },
  },
  {
    name: 'sleeps as long as it is told to, or until the signal',
    check: async ({ clock, pass }) => {
      const startMs = clock.now();
      const wokeAt = clock.sleep(20).then(() => clock.now());
      const abort = new AbortController();
      const endless = Promise.allSettled([clock.sleep(day, abort.signal)]);
      await pass(60);
      expect((await wokeAt) - startMs).toBeGreaterThanOrEqual(20);
      abort.abort(new Error('wake up'));
      expect(await endless).toMatchObject([{ reason: { message: 'wake up' } }]);
      await expect(clock.sleep(day, abort.signal)).rejects.toThrow('wake up');
    },
  },
];

/** The contract of the Clock port. */
export function clockFeatures(name: string, make: () => Promise<ClockHarness>): void {
  testFeatures('clock', name, clockFeatureList, make);
}
