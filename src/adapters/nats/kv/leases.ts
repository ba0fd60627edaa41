import { isCount } from '../../../core/json-form.ts';
import { limits } from '../../../core/limits.ts';
import { Recent } from '../../../core/recent.ts';
import type { Clock } from '../../../ports/clock.ts';
import { checkLeaseTtl } from '../../../ports/lease-checks.ts';
import type { Lease, Leases } from '../../../ports/leases.ts';
import { isForbidden } from '../nats-errors.ts';
import { Bucket, type BucketEntry, type BucketOptions, keyOf } from './bucket.ts';

/** How to open the leases on NATS. */
export interface NatsLeasesOptions extends BucketOptions {
  readonly clock: Clock;
  /** Whose leases it may read: those of others too, or its own alone, as the key of a node that is no router. */
  readonly reads?: 'all' | 'own';
  /** Leases it remembers having seen. Default `limits.leasesSeenMax`. */
  readonly seenMax?: number;
}

/** Leases that end their use of the connection. */
export interface NatsLeases extends Leases {
  close(): void;
}

/** What a lease's entry says. */
interface Held {
  readonly owner: string;
  readonly ttlMs: number;
  /** The fence with which it came to its owner; left out where it follows from the entry's own revision. */
  readonly fence?: number;
  /** What is added to a revision to make a fence of it: more in a bucket that was made again. */
  readonly base?: number;
}

/** Writes of leases in a second, at most: so many fences there are for each second before a bucket was made. */
const fencesPerS = 1_048_576;

/** How often somebody else may be faster before an attempt to take a lease is given up. */
const triesMax = 4;

/**
 * Opens the leases of the network: the bucket `lease`. The revision with which a lease came into a hand makes its fence,
 * together with the second in which the bucket was made: in one that is lost and made again revisions begin anew, and no
 * fence may be lower than one in the log.
 * Nobody's clock is compared with another's: a holder counts from before it wrote, everybody else from when they saw
 * what it wrote, so that they wait longer than it holds. What is held when this is opened is therefore looked at now.
 *
 * @throws PouwError `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsLeases(options: NatsLeasesOptions): Promise<NatsLeases> {
  const bucket = await Bucket.open('lease', options);
  const leases = new LeasesInBucket(bucket, options.clock, options.seenMax ?? limits.leasesSeenMax);
  // Whose key may not list the leases waits for each of them from when it first asks for it.
  if (options.reads === 'own') return leases;
  try {
    // How long they are waited for is told by what they say, whoever wrote it; whether they count is asked later.
    for (const entry of await bucket.entries('>', { isSound: false })) leases.see(entry);
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  return leases;
}

class LeasesInBucket implements NatsLeases {
  readonly #bucket: Bucket;
  readonly #clock: Clock;
  /** Until when a revision of a key counts as held, by our clock. */
  readonly #seen: Recent<string, { readonly revision: number; readonly untilMs: number }>;

  constructor(bucket: Bucket, clock: Clock, seenMax: number) {
    this.#bucket = bucket;
    this.#clock = clock;
    this.#seen = new Recent(seenMax);
  }

  /** Begins to count the time of what is held. @returns until when it counts as held, by our clock. */
  see({ key, revision, value }: BucketEntry): number {
    const known = this.#seen.get(key);
    if (known?.revision === revision) return known.untilMs;
    return this.#remember(key, revision, this.#clock.now() + (parse(value)?.ttlMs ?? 0));
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
    checkLeaseTtl(ttlMs);
    for (let tries = 0; tries < triesMax; tries++) {
      const entry = await this.#bucket.get(keyOf(name));
      const held = this.#heldIn(entry);
      if (held !== undefined && held.owner !== owner) return undefined;
      const fence = held === undefined ? { base: await this.#base() } : { fence: held.fence };
      const lease = await this.#write(name, entry, { owner, ttlMs, ...fence });
      if (lease !== undefined) return lease;
    }
    return undefined;
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease | undefined> {
    checkLeaseTtl(ttlMs);
    const { name, owner, fence } = lease;
    for (let tries = 0; tries < triesMax; tries++) {
      const entry = await this.#bucket.get(keyOf(name));
      // What this holder has not seen itself it does not judge by another clock than its own.
      if (!this.#seen.has(entry.key)) this.#remember(entry.key, entry.revision, lease.expiresAt);
      const held = this.#heldIn(entry);
      if (held?.owner !== owner || held.fence !== fence) return undefined;
      const renewed = await this.#write(name, entry, { owner, ttlMs, fence });
      if (renewed !== undefined) return renewed;
    }
    return undefined;
  }

  async release({ name, owner, fence }: Lease): Promise<void> {
    const entry = await this.#bucket.get(keyOf(name));
    const held = parse(entry.value);
    if (held?.owner !== owner || fenceOf(held, entry.revision) !== fence) return;
    await this.#bucket.remove(entry.key, entry.revision);
  }

  async holder(name: string): Promise<Lease | undefined> {
    const entry = await this.#bucket.get(keyOf(name));
    const held = this.#heldIn(entry);
    return held && { name, owner: held.owner, fence: held.fence, expiresAt: this.see(entry) };
  }

  close(): void {
    this.#bucket.close();
  }

  async #write(name: string, entry: BucketEntry, held: Held): Promise<Lease | undefined> {
    const expiresAt = this.#clock.now() + held.ttlMs;
    const revision = await this.#bucket.swap(entry.key, JSON.stringify(held), entry.revision);
    if (revision === undefined) return undefined;
    this.#remember(entry.key, revision, expiresAt);
    return { name, owner: held.owner, fence: fenceOf(held, revision), expiresAt };
  }

  /** Who holds a lease now; undefined where it is free, given up or over. */
  #heldIn(entry: BucketEntry): (Held & { readonly fence: number }) | undefined {
    const held = parse(entry.value);
    if (held === undefined || this.see(entry) <= this.#clock.now()) return undefined;
    return { ...held, fence: fenceOf(held, entry.revision) };
  }

  async #base(): Promise<number> {
    return Math.floor((await this.#bucket.madeAt()) / 1_000) * fencesPerS;
  }

  #remember(key: string, revision: number, untilMs: number): number {
    this.#seen.set(key, { revision, untilMs });
    return untilMs;
  }
}

function fenceOf({ fence, base = 0 }: Held, revision: number): number {
  return fence ?? base + revision;
}

/** What an entry says; nothing where it is no lease, which then is free for whoever replaces it. */
function parse(value: Uint8Array | undefined): Held | undefined {
  if (value === undefined) return undefined;
  try {
    const { owner, ttlMs, fence, base } = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<
      Record<string, unknown>
    >;
    if (typeof owner !== 'string' || typeof ttlMs !== 'number') return undefined;
    // One that lasts longer than leases may is nobody's: its holder would keep it from all others for as long as it likes.
    if (!(ttlMs > 0 && ttlMs <= limits.leaseMsMax)) return undefined;
    return { owner, ttlMs, ...(isCount(fence, 1) && { fence }), ...(isCount(base, 0) && { base }) };
  } catch {
    return undefined;
  }
}
