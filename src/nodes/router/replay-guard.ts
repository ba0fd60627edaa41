import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';

/**
 * Keeps commands that somebody recorded from being carried out again: each is taken once, and only while it is fresh.
 * Senders and receivers must agree on the time to within `limits.forwardedWriteAgeMsMax`.
 */
export class ReplayGuard {
  readonly #seen = new Recent<string, true>(limits.forwardedWritesKept);

  /** Takes note of a command. @throws PouwError `command_expired`, `command_repeated`. */
  take(id: string, sentAt: number, nowMs: number): void {
    const ageMs = nowMs - sentAt;
    if (Math.abs(ageMs) > limits.forwardedWriteAgeMsMax) {
      throw new PouwError('command_expired', `The command is ${ageMs} ms old by the clock of this node.`, {
        class: 'unavailable',
        why: 'It was held up or sent again by somebody, or the clocks of the two nodes differ.',
        hint: 'Set the clocks of all nodes by the same source.',
      });
    }
    if (this.#seen.has(id)) {
      throw new PouwError('command_repeated', 'The command was taken before.', {
        class: 'conflict',
        why: 'Each try of a command has an id of its own.',
      });
    }
    this.#seen.set(id, true);
  }
}
