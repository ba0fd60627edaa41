import { openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { openNatsJobQueue, type NatsJobQueueOptions } from '../../adapters/nats/jobs/job-queue.ts';
import { openNatsCursors } from '../../adapters/nats/kv/cursors.ts';
import { openNatsEffectJournal } from '../../adapters/nats/kv/effect-journal.ts';
import { openNatsLeases } from '../../adapters/nats/kv/leases.ts';
import { openNatsPresenceBoard } from '../../adapters/nats/kv/presence-board.ts';
import { openNatsSnapshots } from '../../adapters/nats/kv/snapshots.ts';
import type { NatsLink } from '../../adapters/nats/link.ts';
import { requireNatsNetwork } from '../../adapters/nats/prepare.ts';
import { isForbidden } from '../../adapters/nats/nats-errors.ts';
import { openNatsEventStore } from '../../adapters/nats/store/event-store.ts';
import type { BucketSeal, UnsoundEntry } from '../../adapters/nats/kv/seal.ts';
import type { LogRegistry, LogTrust } from '../../adapters/nats/store/log-trust.ts';
import type { Signer } from '../../core/ed25519.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import { type Address, type Role, streamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Cursors, EffectJournal } from '../../ports/effect-journal.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Log } from '../../ports/log.ts';
import type { NodePresence, PresenceBoard } from '../../ports/presence-board.ts';
import type { Snapshots } from '../../ports/snapshots.ts';
import type { NodeConfig } from '../config/schema.ts';
import { version } from '../version.ts';
import { Closers } from './closers.ts';

/** What a node process keeps on NATS. */
export interface NatsStores {
  readonly events: EventStore;
  /** @throws what keeps the log from being followed, or that the servers had no room lately, where something does. */
  readonly requireFollowed: () => void;
  /** @throws PouwError of the first of the streams and buckets that is not there or does not answer, where one does not. */
  readonly requireThere: () => Promise<void>;
  readonly snapshots: Snapshots;
  readonly journal: EffectJournal;
  readonly cursors: Cursors;
  readonly leases: Leases;
  readonly presence: PresenceBoard;
  /** Where routers offer the places of tasks and miners come for them; undefined for others, and for whose key may not. */
  readonly offers: JobQueue | undefined;
  close(): Promise<void>;
}

/** Whose stores they are. */
export interface StoresOwner {
  readonly role: Role;
  readonly address: Address;
  readonly signer: Signer;
}

/** Where the stores report to, and whose signatures count. */
export interface StoresContext {
  readonly log: Log;
  readonly trust: LogTrust & { readonly registry: LogRegistry };
  /** Told of an entry of a bucket that nobody has signed who may write it. */
  readonly onUnsound: (unsound: UnsoundEntry) => void;
}

/** Whether nodes of a role read the whole log: routers, which host sessions, and oracles, which say what it says of nodes. */
export function readsAll(role: Role): boolean {
  return role === 'router' || role === 'oracle';
}

/**
 * Opens them.
 *
 * @throws PouwError `nats_not_prepared`, `nats_forbidden`, `log_unreachable`, `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsStores(
  { connection, inboxPrefix }: NatsLink,
  { replicas, acks }: NodeConfig,
  { role, address, signer }: StoresOwner,
  { log, trust, onUnsound }: StoresContext,
): Promise<NatsStores> {
  const closers = new Closers();
  const common = { connection, replicas, clock: systemClock };
  const onError = (error: unknown): void => log.error('NATS', { error: errorMessage(error) });
  const seal: BucketSeal = { author: address, signer, registry: trust.registry, onUnsound };
  try {
    // Nodes may not make what is missing: asked for it, the server would refuse without saying what is wrong.
    const requireThere = (): Promise<void> => requireNatsNetwork({ connection, replicas, role });
    await requireThere();
    // Routers and oracles read everybody's streams; the keys of the others may open their own only.
    const reads = readsAll(role) ? 'all' : 'own';
    const events = await openNatsEventStore({ ...common, inboxPrefix, reads, owner: address, trust, onError });
    closers.add(() => events.close());
    const snapshots = await openNatsSnapshots({ ...common, seal });
    closers.add(async () => snapshots.close());
    const leases = await openNatsLeases({ ...common, seal, reads: role === 'router' ? 'all' : 'own' });
    closers.add(async () => leases.close());
    const journal = await openNatsEffectJournal({ ...common, seal, events });
    closers.add(async () => {
      await journal.flush();
      journal.close();
    });
    const cursors = await openNatsCursors({ ...common, seal, owner: streamId(role, address) });
    closers.add(async () => cursors.close());
    const board = await openNatsPresenceBoard({ ...common, onError });
    closers.add(() => board.close());
    const { presence, requireRoom } = watchRoom(board);
    const offers =
      role === 'router' || role === 'miner'
        ? await openOffers({ ...common, onError, makesConsumers: role === 'router' }, log)
        : undefined;
    closers.add(async () => offers?.close());
    return {
      requireFollowed: () => {
        events.requireFollowed();
        requireRoom();
      },
      requireThere,
      events: acks === undefined ? events : noteAcknowledged(events, openSync(acks, 'a')),
      snapshots,
      journal,
      cursors,
      leases,
      presence,
      offers,
      close: () => closers.closeAll(),
    };
  } catch (error) {
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

/** Each node says all the time that it is there, so whether that could be kept tells whether the servers have room. */
function watchRoom(board: PresenceBoard): { readonly presence: PresenceBoard; readonly requireRoom: () => void } {
  let full: unknown;
  const announce = async (node: NodePresence): Promise<void> => {
    try {
      await board.announce(node);
      full = undefined;
    } catch (error) {
      if (errorCode(error) === 'disk_full') full = error;
      throw error;
    }
  };
  const requireRoom = (): void => {
    if (full !== undefined) throw full as Error;
  };
  return { presence: { ...board, announce }, requireRoom };
}

/** A key that may not use the queues is no reason not to work: the node then has to do with routers that draw miners. */
async function openOffers(
  options: Pick<NatsJobQueueOptions, 'connection' | 'replicas' | 'clock' | 'onError' | 'makesConsumers'>,
  log: Log,
): Promise<JobQueue | undefined> {
  try {
    return await openNatsJobQueue({ ...options, deliveriesMax: limits.offerDeliveriesMax });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    log.warn('this key may not use the queues of jobs: no offers are made or taken', { error: errorMessage(error) });
    return undefined;
  }
}

/** How often a node says that it is there: three misses take it off the board. */
const announceMs = 1_500;

/** Keeps a node on the board until it is told to stop, and then takes it off. */
export function keepPresent(
  presence: PresenceBoard,
  { role, address }: StoresOwner,
  models: readonly string[],
  log: Log,
): () => Promise<void> {
  const stop = new AbortController();
  const startedAt = systemClock.now();
  const node: NodePresence = { role, address, models, version, startedAt, host: hostname(), pid: process.pid };
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await presence.announce(node).catch((error: unknown) => {
        const code = errorCode(error);
        log.warn('could not be put on the board of those present', { code, error: errorMessage(error) });
      });
      await systemClock.sleep(announceMs, stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
    await presence.withdraw(role, address).catch(() => undefined);
  };
}

/** Writes down each commit that the log has acknowledged, before anybody acts on it. */
function noteAcknowledged(events: EventStore, file: number): EventStore {
  return {
    append: async (commit) => {
      const result = await events.append(commit);
      if (result.outcome !== 'conflict') writeSync(file, `${commit.stream}@${commit.version} ${commit.hash}\n`);
      return result;
    },
    read: (stream, options) => events.read(stream, options),
    readAll: (options) => events.readAll(options),
    subscribe: (position, handler) => events.subscribe(position, handler),
    head: (stream) => events.head(stream),
    heads: () => events.heads(),
    close: () => events.close(),
  };
}
