import { AssertionError } from './assert.ts';
import type { Timer } from './effect.ts';

/** The timers of an actor that waits for none. */
export const noTimers = {
  timers: (): readonly Timer[] => [],
  timerCommand: (timer: Timer): never => {
    throw new AssertionError(`this actor set no timer ${timer.id}`);
  },
} as const;
