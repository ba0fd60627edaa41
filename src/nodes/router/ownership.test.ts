import { afterEach, describe, expect, it } from 'vitest';
import { createLocalLeases } from '../../adapters/local/local-leases.ts';
import { openLocalStores } from '../../adapters/local/local-stores.ts';
import { PouwError } from '../../core/errors.ts';
import { type Address, type SessionId, streamId, toAddress } from '../../core/ids.ts';
import { routersOfLease } from '../../core/lease-names.ts';
import { limits } from '../../core/limits.ts';
import type { Leases } from '../../ports/leases.ts';
import { silentLog } from '../../ports/log.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { SessionOwnership } from './ownership.ts';
import { groupOf, rankRouters } from './session-group.ts';

const routers = ['a', 'b', 'c'].map((digit) => toAddress(`0x${digit.repeat(40)}`));
const sessions = Array.from({ length: 60 }, (_, n) => `31337-abcdef01-${n + 1}` as SessionId);
const leaseMs = 1_500;
const patienceMs = 1_000;
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A network of routers that share a store of leases and a clock. */
class World {
  readonly clock = new VirtualClock({ startMs: 1_000, settle: turn });
  readonly leases: Leases;
  readonly alive = new Set<Address>(routers);
  readonly quiet = { is: true };
  readonly moves: string[] = [];
  #away = false;

  constructor() {
    const stores = openLocalStores({ path: ':memory:' });
    open.push(() => stores.close());
    const leases = createLocalLeases({ clock: this.clock, cursors: stores.cursors });
    const reach = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (this.#away) throw new PouwError('log_unreachable', 'away', { class: 'unavailable' });
      return ask();
    };
    this.leases = {
      acquire: (...args) => reach(() => leases.acquire(...args)),
      renew: (...args) => reach(() => leases.renew(...args)),
      release: (...args) => reach(() => leases.release(...args)),
      holder: (...args) => reach(() => leases.holder(...args)),
    };
  }

  /** The store of leases cannot be reached until it is called again. */
  away(isAway: boolean): void {
    this.#away = isAway;
  }

  router(address: Address): Router {
    return new Router(this, address);
  }
}

class Router {
  readonly ownership: SessionOwnership;
  readonly #stop = new AbortController();
  readonly #world: World;
  readonly #address: Address;

  constructor(world: World, address: Address) {
    this.#world = world;
    this.#address = address;
    const note =
      (what: string) =>
      async (list: readonly SessionId[]): Promise<void> => {
        world.moves.push(...list.map((session) => `${what} ${session} ${address.slice(2, 3)}`));
      };
    this.ownership = new SessionOwnership({
      address,
      leases: world.leases,
      clock: world.clock,
      log: silentLog,
      leaseMs,
      patienceMs,
      isAlive: (other) => world.alive.has(other),
      isQuiet: () => world.quiet.is,
      adopt: note('adopt'),
      surrender: note('surrender'),
      stopping: this.#stop.signal,
    });
  }

  async start(): Promise<this> {
    for (const session of sessions) await this.ownership.learn(session, routers);
    const running = this.ownership.run();
    open.unshift(async () => {
      this.#stop.abort();
      await this.#world.clock.advance(leaseMs);
      await running;
    });
    return this;
  }

  /** It stops without a word. */
  die(): void {
    this.#stop.abort();
    this.#world.alive.delete(this.#address);
  }

  owned(): readonly SessionId[] {
    return this.ownership.owned();
  }
}

async function three(world: World): Promise<Router[]> {
  const started: Router[] = [];
  for (const address of routers) started.push(await world.router(address).start());
  await world.clock.advance(leaseMs);
  return started;
}

function ownersOf(all: readonly Router[], session: SessionId): number {
  return all.filter(({ ownership }) => ownership.owns(session)).length;
}

describe('groups of sessions', () => {
  it('are as many as their bound, whatever the number of sessions, and the same for everybody', () => {
    const names = new Set(Array.from({ length: 2_000 }, (_, n) => groupOf(`1-abcdef01-${n}` as SessionId, routers)));
    expect(names.size).toBe(limits.sessionGroupsPerRouters);
    expect(groupOf(sessions[0] as SessionId, routers.toReversed())).toBe(groupOf(sessions[0] as SessionId, routers));
    expect(groupOf(sessions[0] as SessionId, routers.slice(1))).not.toBe(groupOf(sessions[0] as SessionId, routers));
  });

  it('have names that say which routers may own them', () => {
    for (const session of sessions)
      expect(routersOfLease(groupOf(session, routers.toReversed()))).toEqual(routers.toSorted());
  });

  it('spread over their routers', () => {
    const names = [...new Set(sessions.map((session) => groupOf(session, routers)))];
    const first = new Set(names.map((name) => rankRouters(name, routers)[0]));
    expect(first.size).toBe(routers.length);
  });
});

describe('session ownership', () => {
  it('gives every session one owner, and every router its share', async () => {
    const all = await three(new World());
    for (const session of sessions) expect(ownersOf(all, session)).toBe(1);
    for (const router of all) expect(router.owned().length).toBeGreaterThan(0);
  });

  it('is told of a session that comes later, and of none that names other routers', async () => {
    const world = new World();
    const all = await three(world);
    const later = '31337-abcdef01-999' as SessionId;
    for (const { ownership } of all) await ownership.learn(later, routers);
    expect(ownersOf(all, later)).toBe(1);
    const foreign = '31337-abcdef01-1000' as SessionId;
    await all[0]?.ownership.learn(foreign, [routers[1] as Address]);
    expect(all[0]?.ownership.owns(foreign)).toBe(false);
  });

  it('passes a dead router’s sessions on once its leases have run out, under higher fences', async () => {
    const world = new World();
    const all = await three(world);
    const [first, ...others] = all as [Router, Router, Router];
    const session = first.owned()[0] as SessionId;
    const stream = streamId('session', session);
    const before = first.ownership.fence(session, stream);
    first.die();
    await world.clock.advance(leaseMs + leaseMs / 4);
    for (const one of sessions) expect(ownersOf(others, one)).toBe(1);
    const heir = others.find(({ ownership }) => ownership.owns(session)) as Router;
    expect(heir.ownership.fence(session, stream)).toBeGreaterThan(before);
    // By its own clock the dead one knows that it owns nothing any more.
    expect(first.owned()).toEqual([]);
    expect(() => first.ownership.fence(session, stream)).toThrow(expect.objectContaining({ code: 'not_owner' }));
  });

  it('passes sessions on at once where a router gives them up', async () => {
    const world = new World();
    const all = await three(world);
    const [first, ...others] = all as [Router, Router, Router];
    first.die();
    await first.ownership.release();
    await world.clock.advance(leaseMs / 4 + 1);
    for (const session of sessions) expect(ownersOf(others, session)).toBe(1);
  });

  it('leaves the sessions of routers that were not heard yet alone for a moment after the start', async () => {
    const world = new World();
    world.alive.clear();
    const first = await world.router(routers[0] as Address).start();
    const early = first.owned().length;
    expect(early).toBeLessThan(sessions.length);
    await world.clock.advance(patienceMs + leaseMs);
    expect(first.owned()).toHaveLength(sessions.length);
  });

  it('hands quiet sessions back to a better owner that has come to stay, and busy ones not', async () => {
    const world = new World();
    world.alive.delete(routers[2] as Address);
    const two: Router[] = [];
    for (const address of routers.slice(0, 2)) two.push(await world.router(address).start());
    await world.clock.advance(patienceMs + leaseMs);
    world.alive.add(routers[2] as Address);
    world.quiet.is = false;
    const third = await world.router(routers[2] as Address).start();
    await world.clock.advance(20_000);
    expect(third.owned()).toEqual([]);
    world.quiet.is = true;
    await world.clock.advance(10_000);
    expect(third.owned().length).toBeGreaterThan(0);
    for (const session of sessions) expect(ownersOf([...two, third], session)).toBe(1);
  });

  it('lasts through a short outage of the store of leases and ends with a long one', async () => {
    const world = new World();
    const all = await three(world);
    const count = all[0]?.owned().length;
    world.away(true);
    await world.clock.advance(leaseMs / 2);
    expect(all[0]?.owned()).toHaveLength(count ?? 0);
    await world.clock.advance(leaseMs);
    for (const router of all) expect(router.owned()).toEqual([]);
    world.away(false);
    await world.clock.advance(leaseMs * 2);
    for (const session of sessions) expect(ownersOf(all, session)).toBe(1);
  });

  it('tells who the owner is', async () => {
    const world = new World();
    const all = await three(world);
    const session = all[1]?.owned()[0] as SessionId;
    for (const { ownership } of all) expect(await ownership.ownerOf(session, routers)).toBe(routers[1]);
  });
});
