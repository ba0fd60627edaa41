import type { SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Subscription } from '../../ports/event-store.ts';

/**
 * The sessions a router leads. To those that are not closed it listens; closed ones are still answered for, up to
 * `limits.closedSessionsKept`.
 */
export class LedSessions {
  readonly #open = new Map<SessionId, Subscription>();
  /** Oldest first. */
  readonly #closed = new Set<SessionId>();
  readonly #listen: (session: SessionId) => Subscription;

  /** @param listen begins to read the tokens of a session's tasks. */
  constructor(listen: (session: SessionId) => Subscription) {
    this.#listen = listen;
  }

  /** Sessions that are not closed. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether it leads a session, or led it until it was closed. */
  has(session: SessionId): boolean {
    return this.#open.has(session) || this.#closed.has(session);
  }

  /**
   * Leads a session from now on.
   *
   * @returns whether it does: not beyond `limits.routerSessionsMax`.
   */
  lead(session: SessionId): boolean {
    if (this.has(session)) return true;
    if (this.#open.size >= limits.routerSessionsMax) return false;
    this.#open.set(session, this.#listen(session));
    return true;
  }

  /** A session is closed: none of its tasks says anything any more. */
  async close(session: SessionId): Promise<void> {
    const subscription = this.#open.get(session);
    this.#open.delete(session);
    this.#closed.add(session);
    if (this.#closed.size > limits.closedSessionsKept) {
      const [oldest] = this.#closed;
      if (oldest !== undefined) this.#closed.delete(oldest);
    }
    await subscription?.close();
  }
}
