import { monotonicMs } from '../adapters/local/system-clock.ts';
import type { EventEmitter } from 'node:events';
import { outliveReaders } from './gone-reader.ts';

/** Milliseconds within which two signals are one: a Ctrl-C under npm comes from the terminal and from npm. */
const sameSignalMs = 500;

/** The wish to stop. Wrapped, because a promise that resolves to a promise would wait for that one too. */
export interface Stop {
  /** Resolves when the wish is repeated: to stop now and not when the work is done. */
  readonly again: Promise<void>;
}

/** Where signals come from and what time it is; by default this process and its clock. */
export interface SignalSource {
  readonly signals: Pick<EventEmitter, 'on'>;
  readonly nowMs: () => number;
  /** Ends the process with this exit code. */
  readonly exit: (code: number) => void;
}

const thisProcess: SignalSource = {
  signals: process,
  nowMs: monotonicMs,
  exit: (code) => process.exit(code),
};

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. The second fulfils `again`, the third ends the process at once with exit
 * code 130.
 */
export function untilStopped({ signals, nowMs, exit }: SignalSource = thisProcess): Promise<Stop> {
  outliveReaders();
  const first = Promise.withResolvers<Stop>();
  const again = Promise.withResolvers<void>();
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const heard = (): void => {
    if (nowMs() - lastMs < sameSignalMs) return;
    lastMs = nowMs();
    count += 1;
    if (count === 1) first.resolve({ again: again.promise });
    else if (count === 2) again.resolve();
    else exit(130);
  };
  // SIGHUP is a terminal that was closed: what runs below us would stay behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) signals.on(signal, heard);
  return first.promise;
}
