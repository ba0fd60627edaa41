import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

/** The error for a bus that is closed, or closed while an answer was awaited. */
export function busClosed(): PouwError {
  return new PouwError('bus_closed', 'The bus is closed.', { class: 'unavailable', why: 'The node is stopping.' });
}

/** The error for a request that nobody hears. */
export function noResponders(subject: string): PouwError {
  return new PouwError('no_responders', `Nobody listens on ${subject}.`, {
    class: 'unavailable',
    why: 'The node that answers there is not running, or is gone.',
    hint: 'Try again later, or ask another node.',
  });
}

/** The error for a drain that did not wait for handlers any longer. */
export function drainTimeout(messages: number): PouwError {
  return new PouwError('bus_drain_timeout', `The bus closed over ${messages} messages that were not handled in time.`, {
    class: 'timeout',
    why: `A handler took longer than ${limits.busDrainMsMax} ms.`,
  });
}
