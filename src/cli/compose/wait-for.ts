import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** How to wait. */
export interface WaitOptions {
  readonly clock: Clock;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Told what is waited for and why: at first, and whenever the reason changes. */
  readonly onWait: (what: string, reason: string) => void;
}

const firstPauseMs = 200;
const pauseMaxMs = 5_000;

/** What is not available and does not become so by itself: somebody has to change the servers first. */
const lasting: ReadonlySet<string> = new Set(['nats_too_old', 'nats_payload_too_small', 'nats_config_ignored']);

/** Errors that time alone may cure; the others end the start. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof PouwError) || lasting.has(error.code)) return false;
  return error.class === 'unavailable' || error.class === 'timeout';
}

/**
 * Tries something a process depends on until it is there, with pauses from 200 ms doubling to 5 s: so processes may be
 * started in any order.
 *
 * @throws what `attempt` throws where waiting cannot help; the signal's reason.
 */
export async function waitFor<T>(what: string, options: WaitOptions, attempt: () => Promise<T>): Promise<T> {
  let told = '';
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pauseMaxMs)) {
    options.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const reason = errorMessage(error);
      if (reason !== told) options.onWait(what, reason);
      told = reason;
      await options.clock.sleep(pauseMs, options.signal);
    }
  }
}
