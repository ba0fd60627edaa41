import { expect } from 'vitest';
import { present } from '../../src/core/assert.ts';
import { toAddress } from '../../src/core/ids.ts';
import { sessionsLease } from '../../src/core/lease-names.ts';
import { limits } from '../../src/core/limits.ts';
import type { Lease, Leases } from '../../src/ports/leases.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';

/** Fresh leases, how time passes for them, and how to open them again. */
export interface LeasesHarness extends Disposable {
  readonly leases: Leases;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
  /** Ends them with their holders, and opens them again. */
  readonly reopen: () => Promise<Leases>;
}

const ttlMs = 100;

async function take(leases: Leases, owner: string, name = 'session.1'): Promise<Lease> {
  return present(await leases.acquire(name, owner, ttlMs), `the lease for ${owner}`);
}

/** What leases promise. */
export const leasesFeatureList: readonly Feature<LeasesHarness>[] = [
  {
    name: 'gives a free lease to who asks first, and to nobody else while it lasts',
    check: async ({ leases }) => {
      const lease = await take(leases, 'a');
      expect(lease).toMatchObject({ name: 'session.1', owner: 'a' });
      expect(await leases.acquire('session.1', 'b', ttlMs)).toBeUndefined();
      expect(await leases.holder('session.1')).toMatchObject({ owner: 'a', fence: lease.fence });
    },
  },
  {
    name: 'keeps the names apart',
    check: async ({ leases }) => {
      await take(leases, 'a', 'one');
      expect((await take(leases, 'b', 'two')).owner).toBe('b');
      expect(await leases.holder('three')).toBeUndefined();
    },
  },
  {
    name: 'gives a lease to exactly one of many who ask at once',
    check: async ({ leases }) => {
      const asked = await Promise.all(
        Array.from({ length: 20 }, (_, index) => leases.acquire('race', `owner ${index}`, ttlMs)),
      );
      const granted = asked.filter((lease) => lease !== undefined);
      expect(granted).toHaveLength(1);
      expect(await leases.holder('race')).toMatchObject({ owner: granted[0]?.owner });
    },
  },
  {
    name: 'lets an owner take its own lease again, for longer',
    check: async ({ leases, pass }) => {
      const first = await take(leases, 'a');
      await pass(ttlMs / 2);
      const second = await take(leases, 'a');
      expect(second.fence).toBeGreaterThanOrEqual(first.fence);
      expect(second.expiresAt).toBeGreaterThan(first.expiresAt);
    },
  },
  {
    name: 'frees a lease when its time is over, with a higher fence for the next owner',
    check: async ({ leases, pass }) => {
      const first = await take(leases, 'a');
      await pass(ttlMs + 1);
      expect(await leases.holder('session.1')).toBeUndefined();
      const second = await take(leases, 'b');
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(await leases.renew(first, ttlMs)).toBeUndefined();
      expect(await leases.holder('session.1')).toMatchObject({ owner: 'b' });
    },
  },
  {
    name: 'raises the fence when an owner comes back to a lease it had lost',
    check: async ({ leases, pass }) => {
      const first = await take(leases, 'a');
      await pass(ttlMs + 1);
      const second = await take(leases, 'a');
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(await leases.renew(first, ttlMs)).toBeUndefined();
    },
  },
  {
    name: 'keeps a renewed lease, as long as it is renewed in time',
    check: async ({ leases, pass }) => {
      let lease: Lease | undefined = await take(leases, 'a');
      const { fence } = lease;
      for (let round = 0; round < 4; round++) {
        await pass(ttlMs / 2);
        lease = await leases.renew(present(lease, 'the renewed lease'), ttlMs);
      }
      expect(lease?.fence).toBeGreaterThanOrEqual(fence);
      expect(await leases.acquire('session.1', 'b', ttlMs)).toBeUndefined();
      await pass(ttlMs + 1);
      expect(await leases.renew(present(lease, 'the renewed lease'), ttlMs)).toBeUndefined();
    },
  },
  {
    name: 'frees a lease that is given up, and ignores who gives up what they do not hold',
    check: async ({ leases, pass }) => {
      const first = await take(leases, 'a');
      await leases.release(first);
      expect(await leases.holder('session.1')).toBeUndefined();
      const second = await take(leases, 'b');
      expect(second.fence).toBeGreaterThan(first.fence);
      await leases.release(first);
      expect(await leases.holder('session.1')).toMatchObject({ owner: 'b' });
      await pass(ttlMs + 1);
      await leases.release(second);
    },
  },
  {
    name: 'lets a lease last for as long as the bound says, and refuses one millisecond more and none at all',
    check: async ({ leases }) => {
      const lease = present(await leases.acquire('long', 'a', limits.leaseMsMax), 'the lease');
      expect(await leases.renew(lease, limits.leaseMsMax)).toMatchObject({ owner: 'a' });
      for (const ms of [limits.leaseMsMax + 1, Infinity, Number.NaN, 0]) {
        await expect(leases.acquire('longer', 'a', ms)).rejects.toThrow('a lease lasts for some time');
        await expect(leases.renew(lease, ms)).rejects.toThrow('a lease lasts for some time');
      }
    },
  },
  {
    name: 'keeps the lease of a group of as many routers as there can be',
    check: async ({ leases, pass }) => {
      const routers = Array.from({ length: limits.sessionRoutersMax }, (_, n) =>
        toAddress(`0x${(n + 16).toString(16).repeat(20)}`),
      );
      const name = sessionsLease(limits.sessionGroupsPerRouters - 1, routers);
      const lease = await take(leases, routers[0]!, name);
      expect(await leases.acquire(name, routers[1]!, ttlMs)).toBeUndefined();
      expect(await leases.holder(name)).toMatchObject({ name, owner: routers[0] });
      await leases.release(lease);
      expect(await take(leases, routers[1]!, name)).toMatchObject({ name, owner: routers[1] });
      await pass(ttlMs + 1);
    },
  },
  {
    name: 'goes on with higher fences after a restart',
    check: async ({ leases, reopen, pass }) => {
      let highest = 0;
      for (const name of ['one', 'two', 'three']) highest = Math.max(highest, (await take(leases, 'a', name)).fence);
      const again = await reopen();
      await pass(ttlMs + 1);
      for (const name of ['one', 'two', 'four']) expect((await take(again, 'b', name)).fence).toBeGreaterThan(highest);
    },
  },
];

/** The contract of the Leases port. */
export function leasesFeatures(name: string, make: () => Promise<LeasesHarness>): void {
  testFeatures('leases', name, leasesFeatureList, make);
}
