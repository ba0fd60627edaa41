import type { Event } from '../core/commit.ts';
import { PouwError } from '../core/errors.ts';
import type { StreamId } from '../core/ids.ts';
import type { DispatchResult } from './actor.ts';

/** The refusal of a command to a stream that another node owns. */
export function notOwner(stream: StreamId): PouwError {
  return new PouwError('not_owner', `This node does not own ${stream} now.`, {
    class: 'unavailable',
    hint: 'Ask again: its owner answers, or a new one shortly.',
  });
}

/** The decision wanted an event that the machine does not take now: nothing is written. */
export function outOfStep(stream: StreamId, state: string, event: Event): DispatchResult<never> {
  const message = `${stream} in state ${state} does not take ${event.type}.`;
  return { ok: false, rejection: { code: 'event_out_of_step', message, class: 'internal' } };
}
