import { sha256 } from '../../core/hash.ts';
import { isCount } from '../../core/json-form.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/effect-journal.ts';
import { checkLeaseTtl } from '../../ports/lease-checks.ts';
import type { Lease, Leases } from '../../ports/leases.ts';

/** What {@link createLocalLeases} is made of. */
export interface LocalLeasesOptions {
  readonly clock: Clock;
  /** Where the fences handed out are remembered, so that they grow across restarts. */
  readonly cursors: Cursors;
  /** The highest fence that was used, asked where the cursors know of none: no lower one may be handed out again. */
  readonly highestUsed?: () => Promise<number>;
}

/** The cursor that holds the highest fence that may have been handed out. */
export const fenceCursor = 'lease-fence';

/** Fences reserved with one durable write. A restart leaves out what is left of them. */
const fencesReserved = 1_000;

/** Below this number of leases nobody looks for expired ones to forget. */
const sweepAtLeast = 1_024;

/**
 * Leases among the parts of one process. They end with the process, as their holders do; the fences do not:
 * one counter for all names, kept in the cursors, so that a fence handed out is never handed out again.
 */
export function createLocalLeases(options: LocalLeasesOptions): Leases {
  const { clock } = options;
  const fences = new FenceSource(options.cursors, options.highestUsed ?? (async () => 0));
  const held = new Map<string, Lease>();
  let sweepAt = sweepAtLeast;

  const current = (name: string): Lease | undefined => {
    const lease = held.get(name);
    return lease !== undefined && lease.expiresAt > clock.now() ? lease : undefined;
  };
  const isHeld = (lease: Lease): boolean => {
    const now = current(lease.name);
    return now !== undefined && now.owner === lease.owner && now.fence === lease.fence;
  };
  const keep = (lease: Lease): Lease => {
    held.set(lease.name, lease);
    if (held.size > sweepAt) {
      for (const name of held.keys()) if (current(name) === undefined) held.delete(name);
      sweepAt = Math.max(sweepAtLeast, 2 * held.size);
    }
    return lease;
  };

  return {
    acquire: async (name, owner, ttlMs) => {
      checkLeaseTtl(ttlMs);
      const fence = await fences.next();
      // From here on nothing waits, so no two callers can both find the lease free.
      const holder = current(name);
      if (holder !== undefined && holder.owner !== owner) return undefined;
      return keep({ name, owner, fence: holder?.fence ?? fence, expiresAt: clock.now() + ttlMs });
    },
    renew: async (lease, ttlMs) => {
      checkLeaseTtl(ttlMs);
      return isHeld(lease) ? keep({ ...lease, expiresAt: clock.now() + ttlMs }) : undefined;
    },
    release: async (lease) => {
      if (isHeld(lease)) held.delete(lease.name);
    },
    holder: async (name) => current(name),
  };
}

/** Hands out fences that grow for ever. They are reserved durably before the first of them is used. */
class FenceSource {
  readonly #cursors: Cursors;
  #last = 0;
  #reservedTo = 0;
  #reserving: Promise<void> | undefined;

  readonly #highestUsed: () => Promise<number>;

  constructor(cursors: Cursors, highestUsed: () => Promise<number>) {
    this.#cursors = cursors;
    this.#highestUsed = highestUsed;
  }

  async next(): Promise<number> {
    while (this.#last >= this.#reservedTo) {
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = undefined;
      });
      await this.#reserving;
    }
    this.#last += 1;
    return this.#last;
  }

  async #reserve(): Promise<void> {
    const known = readFence((await this.#cursors.load(fenceCursor)) ?? '');
    const from = Math.max(this.#reservedTo, known ?? (await this.#highestUsed()));
    await this.#cursors.save(fenceCursor, fenceText(from + fencesReserved));
    this.#last = from;
    this.#reservedTo = from + fencesReserved;
  }
}

/** A fence with digits that only it has: one that is damaged must not pass for a lower one. */
function fenceText(fence: number): string {
  return `${fence} ${sha256(`fence ${fence}`).slice(0, 16)}`;
}

function readFence(text: string): number | undefined {
  const fence = Number.parseInt(text, 10);
  return isCount(fence, 0) && fenceText(fence) === text ? fence : undefined;
}
