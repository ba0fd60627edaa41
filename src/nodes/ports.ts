import type { Signer } from '../core/ed25519.ts';
import type { Address, Role } from '../core/ids.ts';
import type { Bus } from '../ports/bus.ts';
import type { Chain } from '../ports/chain.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { EffectJournal } from '../ports/effect-journal.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Leases } from '../ports/leases.ts';
import type { Log } from '../ports/log.ts';
import type { Snapshots } from '../ports/snapshots.ts';
import type { NodeDirectory } from './directory.ts';
import type { NodeWatch } from './node-watch.ts';

/** Everything a node stands on; the composition root fills it in. */
export interface NodePorts {
  readonly bus: Bus;
  readonly store: EventStore;
  readonly snapshots: Snapshots;
  readonly journal: EffectJournal;
  readonly leases: Leases;
  readonly chain: Chain;
  readonly content: ContentStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly directory: NodeDirectory;
  /** Told what nodes do, for metrics and traces. */
  readonly watch?: NodeWatch;
}

/** Who a node is: its account (the chain adapter holds the key) and its Ed25519 signer. */
export interface NodeIdentity {
  readonly role: Role;
  readonly address: Address;
  readonly signer: Signer;
}
