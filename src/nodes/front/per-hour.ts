import type { SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';

const hourMs = 3_600_000;

/** Counts what each session has had in the last hour, for what costs a router something and a client nothing. */
export class PerHour {
  readonly #most: number;
  /** When each was counted, oldest first. */
  readonly #counted = new Recent<SessionId, readonly number[]>(limits.readSessionsKept);

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one more. @returns whether it is within the bound; one that is not does not count. */
  count(session: SessionId, nowMs: number): boolean {
    const newest = (this.#counted.get(session) ?? []).filter((at) => at > nowMs - hourMs);
    if (newest.length >= this.#most) return false;
    this.#counted.set(session, [...newest, nowMs]);
    return true;
  }
}
