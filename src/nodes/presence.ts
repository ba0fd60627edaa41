import type { Address, Role } from '../core/ids.ts';
import type { HeartbeatBody } from '../messages/bodies.ts';

/** Without a heartbeat for this long a node counts as dead: three beats. */
export const deadAfterMs = 1_500;

/** How often who lives is looked at, in milliseconds. */
export const lookMs = 500;
/** The most of the time between two looks that counts as listened through, in milliseconds. */
export const listenedMsMax = 750;

/** What a node last said of itself. */
export interface Seen extends HeartbeatBody {
  readonly node: Address;
  readonly seenAt: number;
}

/**
 * Who lives, by heartbeat. Kept in memory: it is true for a moment only. Silence is counted in the time that this
 * process has listened: one that was busy or stood still for seconds has heard nobody, and nobody has died of that.
 */
export class Presence {
  readonly #seen = new Map<Address, { readonly said: Seen; readonly listenedMs: number }>();
  #listenedMs = 0;
  #lookedAt: number | undefined;

  /** Goes on listening; called every {@link lookMs} and at each heartbeat. */
  look(nowMs: number): void {
    this.#listenedMs = this.#listened(nowMs);
    this.#lookedAt = nowMs;
  }

  /** Takes a heartbeat. */
  beat(node: Address, body: HeartbeatBody, nowMs: number): void {
    this.look(nowMs);
    this.#seen.set(node, { said: { ...body, node, seenAt: nowMs }, listenedMs: this.#listenedMs });
  }

  /** Whether a node has been heard within {@link deadAfterMs} of listening. */
  isAlive(node: Address, nowMs: number): boolean {
    const seen = this.#seen.get(node);
    return seen !== undefined && this.#listened(nowMs) - seen.listenedMs <= deadAfterMs;
  }

  /** Whether a node lives and takes new work. */
  takesWork(node: Address, nowMs: number): boolean {
    return this.isAlive(node, nowMs) && this.#seen.get(node)?.said.draining === false;
  }

  /** Whether a node that lives says that it takes nothing new. */
  isDraining(node: Address, nowMs: number): boolean {
    return this.isAlive(node, nowMs) && this.#seen.get(node)?.said.draining === true;
  }

  /** The live nodes of a role. */
  alive(role: Role, nowMs: number): Seen[] {
    return [...this.#seen.values()]
      .map(({ said }) => said)
      .filter((said) => said.role === role && this.isAlive(said.node, nowMs));
  }

  /** The jobs a miner says it takes at a time; 0 where nothing is known. */
  capacity(node: Address): number {
    return this.#seen.get(node)?.said.capacity ?? 0;
  }

  /** Looks, and forgets and names the nodes that have fallen silent. */
  takeLost(nowMs: number): Seen[] {
    this.look(nowMs);
    const lost = [...this.#seen.values()].map(({ said }) => said).filter(({ node }) => !this.isAlive(node, nowMs));
    for (const { node } of lost) this.#seen.delete(node);
    return lost;
  }

  #listened(nowMs: number): number {
    return this.#listenedMs + Math.min(nowMs - (this.#lookedAt ?? nowMs), listenedMsMax);
  }
}
