import { errorCode } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Lease, Leases } from '../ports/leases.ts';
import type { Metrics } from '../ports/metrics.ts';
import { decorate } from './decorate.ts';

/** Leases that count what is done with them, and how many this process holds. */
export function meterLeases(leases: Leases, metrics: Metrics, clock: Clock): Leases {
  /** When each held lease runs out, by its name and owner. */
  const held = new Map<string, number>();
  metrics.onCollect(() => {
    const now = clock.now();
    for (const [key, expiresAt] of held) if (expiresAt <= now) held.delete(key);
    metrics.set('pouw_leases_held', {}, held.size);
  });
  const count = async <T extends Lease | undefined>(operation: string, run: () => Promise<T>): Promise<T> => {
    let outcome = 'refused';
    try {
      const lease = await run();
      if (lease !== undefined) {
        outcome = 'ok';
        held.set(keyOf(lease), lease.expiresAt);
      }
      return lease;
    } catch (error) {
      outcome = errorCode(error);
      throw error;
    } finally {
      metrics.add('pouw_lease_operations_total', { operation, outcome });
    }
  };
  return decorate(leases, {
    acquire: (name, owner, ttlMs) => count('acquire', () => leases.acquire(name, owner, ttlMs)),
    renew: async (lease, ttlMs) => {
      const renewed = await count('renew', () => leases.renew(lease, ttlMs));
      if (renewed === undefined) held.delete(keyOf(lease));
      return renewed;
    },
    release: async (lease) => {
      await leases.release(lease);
      held.delete(keyOf(lease));
      metrics.add('pouw_lease_operations_total', { operation: 'release', outcome: 'ok' });
    },
  });
}

function keyOf({ name, owner }: Pick<Lease, 'name' | 'owner'>): string {
  return `${owner}/${name}`;
}
