import type { Address, SessionId, StreamId } from '../../core/ids.ts';
import { errorMessage } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease, Leases } from '../../ports/leases.ts';
import type { Log } from '../../ports/log.ts';
import { notOwner } from '../../runtime/refusals.ts';
import { groupOf, rankRouters } from './session-group.ts';

/** What owning sessions stands on. */
export interface OwnershipOptions {
  readonly address: Address;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a lease lasts that is not renewed, in milliseconds: the longest that a dead owner is waited for. */
  readonly leaseMs: number;
  /** Whether another router lives. */
  readonly isAlive: (router: Address) => boolean;
  /** How long after the start routers that were not heard yet count as alive, in milliseconds. */
  readonly patienceMs: number;
  /** Whether a session has nothing under way, so that it can change hands without anybody noticing. */
  readonly isQuiet: (session: SessionId) => boolean;
  /** Takes sessions up: they are this router's now. Facts that the last owner may have missed are to be caught up. */
  readonly adopt: (sessions: readonly SessionId[]) => Promise<void>;
  /** Lets sessions go: they are another's now. */
  readonly surrender: (sessions: readonly SessionId[]) => Promise<void>;
  readonly stopping: AbortSignal;
}

/** Sessions that are owned together. */
interface Group {
  readonly name: string;
  readonly routers: readonly Address[];
  readonly sessions: Set<SessionId>;
  readonly adopted: Set<SessionId>;
  lease: Lease | undefined;
  /** Since when another router is the better owner; undefined while none is. */
  betterSince: number | undefined;
  /** The last change of hands: the next one waits for it. */
  turn: Promise<void>;
}

/** How often leases are looked at, as a part of their time. */
const looksPerLease = 4;
/** How long a better owner must have lived before a quiet group is handed to it, in milliseconds. */
const handBackAfterMs = 5_000;

/**
 * Which sessions this router owns: those of the groups whose leases it holds. Sessions are grouped by their
 * routers and a few bits of their id, so that the number of leases does not grow with the sessions. For every
 * group the routers rank alike; the first that lives takes the lease, the next one when that runs out. The
 * lease's fence is written into every commit, so a late writer is told apart for ever.
 */
export class SessionOwnership {
  readonly #options: OwnershipOptions;
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<SessionId, Group>();
  readonly #startedAt: number;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Makes a session known whose terms name these routers; it is owned at once where its group is. */
  async learn(session: SessionId, routers: readonly Address[]): Promise<void> {
    if (this.#groupOf.has(session) || !routers.includes(this.#options.address)) return;
    if (this.#groupOf.size >= limits.routerSessionsMax + limits.closedSessionsKept) {
      const { log, address } = this.#options;
      log.warn('a session is left to other routers: this one knows as many as it may', { node: address, session });
      return;
    }
    const name = groupOf(session, routers);
    let group = this.#groups.get(name);
    if (group === undefined) {
      const nobody = { lease: undefined, betterSince: undefined, turn: Promise.resolve() };
      group = { name, routers, sessions: new Set(), adopted: new Set(), ...nobody };
      this.#groups.set(name, group);
    }
    group.sessions.add(session);
    this.#groupOf.set(session, group);
    await this.#look(group);
  }

  /** Forgets a session that nothing will happen to any more. */
  forget(session: SessionId): void {
    const group = this.#groupOf.get(session);
    this.#groupOf.delete(session);
    group?.sessions.delete(session);
    group?.adopted.delete(session);
  }

  /** Whether a session is this router's now. */
  owns(session: SessionId): boolean {
    const group = this.#groupOf.get(session);
    return group !== undefined && this.#isHeld(group) && group.adopted.has(session);
  }

  /** The sessions that are this router's now. */
  owned(): SessionId[] {
    return [...this.#groupOf.keys()].filter((session) => this.owns(session));
  }

  /** How many leases are held, for metrics. */
  leasesHeld(): number {
    return [...this.#groups.values()].filter((group) => this.#isHeld(group)).length;
  }

  /** The fence to write a session's commits under. @throws PouwError `not_owner`. */
  fence(session: SessionId, stream: StreamId): number {
    const group = this.#groupOf.get(session);
    if (group?.lease === undefined || !this.#isHeld(group)) throw notOwner(stream);
    return group.lease.fence;
  }

  /** The router that owns a session now; undefined while nobody does. */
  async ownerOf(session: SessionId, routers: readonly Address[]): Promise<Address | undefined> {
    if (this.owns(session)) return this.#options.address;
    return (await this.#options.leases.holder(groupOf(session, routers)))?.owner as Address | undefined;
  }

  /** Keeps leases, takes free ones and hands groups back, until the node stops. */
  async run(): Promise<void> {
    const { clock, leaseMs, stopping } = this.#options;
    while (!stopping.aborted) {
      await clock.sleep(leaseMs / looksPerLease, stopping).catch(() => undefined);
      if (stopping.aborted) return;
      await Promise.all([...this.#groups.values()].map((group) => this.#look(group)));
    }
  }

  /** Gives every lease up, so that others need not wait for them to run out. */
  async release(): Promise<void> {
    await Promise.all(
      [...this.#groups.values()].map(async (group) => {
        await group.turn;
        const { lease } = group;
        group.lease = undefined;
        group.adopted.clear();
        if (lease !== undefined) await this.#options.leases.release(lease).catch(() => undefined);
      }),
    );
  }

  #isHeld({ lease }: Group): boolean {
    return lease !== undefined && lease.expiresAt > this.#options.clock.now();
  }

  /** One look at a group at a time; what fails is told and tried again at the next look. */
  #look(group: Group): Promise<void> {
    group.turn = group.turn
      .then(() => (this.#options.stopping.aborted ? undefined : this.#step(group)))
      .catch((error: unknown) => {
        const { log, address } = this.#options;
        log.warn('a lease could not be looked at', { node: address, group: group.name, error: errorMessage(error) });
      });
    return group.turn;
  }

  async #step(group: Group): Promise<void> {
    if (group.lease === undefined) return this.#take(group);
    const { leases, leaseMs } = this.#options;
    const isBest = this.#best(group) === this.#options.address;
    if (isBest) group.betterSince = undefined;
    else group.betterSince ??= this.#options.clock.now();
    if (this.#mayHandBack(group)) return this.#lose(group, 'a better owner lives');
    try {
      const renewed = await leases.renew(group.lease, leaseMs);
      if (renewed === undefined) return await this.#lose(group, 'the lease has another holder');
      group.lease = renewed;
    } catch (error) {
      // While the store of leases is away nobody else can take this one either; the own clock says how long that helps.
      if (!this.#isHeld(group)) await this.#lose(group, 'the lease ran out');
      throw error;
    }
    await this.#adopt(group);
  }

  async #take(group: Group): Promise<void> {
    const { leases, leaseMs, address, log } = this.#options;
    if (this.#best(group) !== address) {
      // Others count a lease's time from when they see it: who looks only once it should take over waits twice.
      await leases.holder(group.name);
      return;
    }
    const lease = await leases.acquire(group.name, address, leaseMs);
    if (lease === undefined) return;
    group.lease = lease;
    group.betterSince = undefined;
    const count = group.sessions.size;
    log.info('sessions taken up', { node: address, group: group.name, sessions: count, fence: lease.fence });
    await this.#adopt(group);
  }

  async #adopt(group: Group): Promise<void> {
    const fresh = [...group.sessions].filter((session) => !group.adopted.has(session));
    if (fresh.length === 0) return;
    for (const session of fresh) group.adopted.add(session);
    try {
      await this.#options.adopt(fresh);
    } catch (error) {
      for (const session of fresh) group.adopted.delete(session);
      await this.#options.surrender(fresh);
      throw error;
    }
  }

  async #lose(group: Group, why: string): Promise<void> {
    const { leases, surrender, address, log } = this.#options;
    const { lease } = group;
    group.lease = undefined;
    group.betterSince = undefined;
    const lost = [...group.adopted];
    group.adopted.clear();
    log.info('sessions let go', { node: address, group: group.name, sessions: lost.length, why });
    await surrender(lost);
    if (lease !== undefined) await leases.release(lease).catch(() => undefined);
  }

  /** The first router of a group, in its order, that lives. */
  #best({ name, routers }: Group): Address | undefined {
    const { address, isAlive, clock, patienceMs } = this.#options;
    const isEarly = clock.now() - this.#startedAt < patienceMs;
    return rankRouters(name, routers).find((router) => router === address || isEarly || isAlive(router));
  }

  #mayHandBack(group: Group): boolean {
    const { clock, isQuiet } = this.#options;
    if (group.betterSince === undefined || clock.now() - group.betterSince < handBackAfterMs) return false;
    return [...group.adopted].every(isQuiet);
  }
}
