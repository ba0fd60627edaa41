/** A held lease. `fence` grows with every change of hands, so that a late writer can be told apart. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly fence: number;
  readonly expiresAt: number;
}

/** Exclusive ownership for a time: at most one owner per name until the lease runs out. */
export interface Leases {
  /** Takes a free, expired or own lease; undefined where somebody else holds it. */
  acquire(name: string, owner: string, ttlMs: number): Promise<Lease | undefined>;
  /** Extends a held lease; undefined where it was lost. */
  renew(lease: Lease, ttlMs: number): Promise<Lease | undefined>;
  /** Gives a held lease up. */
  release(lease: Lease): Promise<void>;
  /** Who holds it now. */
  holder(name: string): Promise<Lease | undefined>;
}
