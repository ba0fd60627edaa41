import { randomBytes } from 'node:crypto';
import { bytesToHex } from '../../core/hash.ts';
import { sleepUsing } from '../../ports/sleep.ts';
import type { Clock, Random } from '../../ports/clock.ts';

/**
 * The longest single wait. Timers of the platform overflow at 2^31 ms and run on a clock that stands still
 * while the machine is suspended; waking once a minute to compare with the wall clock gives deadlines of any
 * length that are at most this late after a suspension.
 */
const longestWaitMs = 60_000;

function now(): number {
  return Date.now();
}

function at(atMs: number, run: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const waitMs = Math.min(Math.max(Math.ceil(atMs - now()), 0), longestWaitMs);
    timer = setTimeout(wake, waitMs);
  };
  // A platform timer may run a moment before its time; ours never does.
  const wake = (): void => (now() < atMs ? wait() : run());
  wait();
  return () => clearTimeout(timer);
}

/** The wall clock of this machine. A waiting timer keeps the process alive. */
export const systemClock: Clock = { now, at, sleep: sleepUsing({ now, at }) };

/** Milliseconds of a clock that nobody sets, for the time between two things that happen in this process. */
export function monotonicMs(): number {
  return performance.now();
}

/** Random bytes from the operating system. */
export const systemRandom: Random = {
  bytes32: () => bytesToHex(randomBytes(32)),
};
