import type { Address, Role } from '../core/ids.ts';
import type { HeartbeatBody } from '../messages/bodies.ts';

/** Without a heartbeat for this long a node counts as dead: three beats. */
export const deadAfterMs = 1_500;

/** What a node last said of itself. */
export interface Seen extends HeartbeatBody {
  readonly node: Address;
  readonly seenAt: number;
}

/** Who lives, by heartbeat. Kept in memory: it is true for a moment only. */
export class Presence {
  readonly #seen = new Map<Address, Seen>();

  /** Takes a heartbeat. */
  beat(node: Address, body: HeartbeatBody, nowMs: number): void {
    this.#seen.set(node, { ...body, node, seenAt: nowMs });
  }

  /** Whether a node has been heard within {@link deadAfterMs}. */
  isAlive(node: Address, nowMs: number): boolean {
    const seen = this.#seen.get(node);
    return seen !== undefined && nowMs - seen.seenAt <= deadAfterMs;
  }

  /** The live nodes of a role. */
  alive(role: Role, nowMs: number): Seen[] {
    return [...this.#seen.values()].filter((seen) => seen.role === role && nowMs - seen.seenAt <= deadAfterMs);
  }

  /** The jobs a miner says it takes at a time; 0 where nothing is known. */
  capacity(node: Address): number {
    return this.#seen.get(node)?.capacity ?? 0;
  }

  /** Forgets and names the nodes that have fallen silent. */
  takeLost(nowMs: number): Seen[] {
    const lost = [...this.#seen.values()].filter((seen) => nowMs - seen.seenAt > deadAfterMs);
    for (const { node } of lost) this.#seen.delete(node);
    return lost;
  }
}
