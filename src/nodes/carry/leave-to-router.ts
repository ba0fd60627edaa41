import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { CarryBody } from '../../messages/carry.ts';
import type { NodeBase } from '../node-base.ts';
import type { Changes } from './changes.ts';

/** A node's part of a task that a router may carry. */
export interface CarriedPart {
  readonly id: EffectId;
  readonly part: CarryBody;
  readonly router: Address;
  /** When the chain wants it, in milliseconds since 1970. */
  readonly dueBy: number;
  /** Whether it is not to be sent any more: the chain has it, or the task is over. */
  readonly isDone: () => boolean;
}

/** What leaving a part to a router stands on. */
export interface CarriedBy {
  readonly base: Pick<NodeBase, 'ports' | 'command'>;
  /** Told of whatever `isDone` looks at. */
  readonly changes: Changes;
}

/** A part of the time until its deadline in which a node leaves its part to a router. */
const shareOfTime = 2;

/**
 * Leaves a part to a router and watches the chain. It is said again from time to time: a router that was restarted has
 * forgotten it, and one that is dead does not answer.
 *
 * @returns true once the part need not be sent any more; false where the node has to send it itself, because the router
 *   refuses, is silent, or has not brought it to the chain in time.
 */
export async function leaveToRouter(
  { base, changes }: CarriedBy,
  { id, part, router, dueBy, isDone }: CarriedPart,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, log } = base.ports;
  const startedAt = clock.now();
  const patienceMs = Math.min(limits.carryPatienceMsMax, (dueBy - startedAt) / shareOfTime);
  const giveUpAt = startedAt + patienceMs;
  while (!isDone() && clock.now() < giveUpAt) {
    try {
      await base.command('router', router, 'carry', id, part);
    } catch (error) {
      signal.throwIfAborted();
      const details = { task: part.task, is: part.is, router, code: errorCode(error), error: errorMessage(error) };
      if (!isDone()) log.info('a router does not carry a part', details);
      return isDone();
    }
    const againAt = Math.min(clock.now() + limits.carryAgainMs, giveUpAt);
    while (!isDone() && clock.now() < againAt) await changes.wait(clock, againAt - clock.now(), signal);
  }
  if (!isDone()) log.warn('a router has not carried a part in time', { task: part.task, is: part.is, router });
  return isDone();
}
