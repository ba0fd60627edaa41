import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../core/errors.ts';

/** Resolves with the error of what work cannot go on without, once that has ended; never where it does not. */
export type Ended = Promise<Error>;

/** How long the end of a process may be told later than that it does not answer, in milliseconds. */
const toldWithinMs = 1_000;

/** Work that nobody waits for any more once the chain that it needs has ended; what it says then is that and nothing else. */
export async function unlessEnded<T>(ended: Ended, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  try {
    return await Promise.race([work, ended.then((error): never => Promise.reject(error) as never)]);
  } catch (error) {
    if (errorCode(error) !== 'chain_unreachable') throw error;
    // A chain that does not answer has perhaps just ended, which says more.
    throw (await Promise.race([ended, sleep(toldWithinMs, undefined, { ref: false })])) ?? error;
  }
}
