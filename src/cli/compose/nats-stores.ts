import { openSync, writeSync } from 'node:fs';
import { Kvm } from '@nats-io/kv';
import { openLocalStores } from '../../adapters/local/local-stores.ts';
import type { NatsLink } from '../../adapters/nats/link.ts';
import { openNatsEventStore } from '../../adapters/nats/store/event-store.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Cursors, EffectJournal } from '../../ports/effect-journal.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Lease, Leases } from '../../ports/leases.ts';
import type { Log } from '../../ports/log.ts';
import type { Snapshots } from '../../ports/snapshots.ts';
import type { NodeConfig } from '../config/schema.ts';

export interface NatsStores {
  readonly events: EventStore;
  readonly snapshots: Snapshots;
  readonly journal: EffectJournal;
  readonly cursors: Cursors;
  readonly leases: Leases;
  close(): Promise<void>;
}

export async function openNatsStores(
  link: NatsLink,
  config: NodeConfig,
  folder: string,
  log: Log,
): Promise<NatsStores> {
  const events = await openNatsEventStore({
    connection: link.connection,
    replicas: config.replicas,
    onError: (error) => log.error('log', { error: errorMessage(error) }),
  });
  const acknowledged = config.acks === undefined ? undefined : openSync(config.acks, 'a');
  const local = openLocalStores({ path: `${folder}/marks.sqlite` });
  const leases = await openLeases(link, config.replicas);
  return {
    events: acknowledged === undefined ? events : noteAcknowledged(events, acknowledged),
    snapshots: local.snapshots,
    journal: local.journal,
    cursors: local.cursors,
    leases,
    close: async () => {
      await events.close();
      await local.close();
    },
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

async function openLeases(link: NatsLink, replicas: number): Promise<Leases> {
  const kv = await new Kvm(link.connection).create('lease', { history: 1, replicas });
  const seen = new Map<string, { revision: number; at: number }>();
  const text = new TextDecoder();
  const bytes = new TextEncoder();
  const look = async (name: string) => {
    const entry = await kv.get(name);
    if (entry === null || entry.operation !== 'PUT') return undefined;
    const before = seen.get(name);
    if (before?.revision !== entry.revision) seen.set(name, { revision: entry.revision, at: Date.now() });
    const { owner, ttlMs } = JSON.parse(text.decode(entry.value)) as { owner: string; ttlMs: number };
    return { owner, ttlMs, revision: entry.revision, until: (seen.get(name)?.at ?? 0) + ttlMs };
  };
  const put = async (name: string, owner: string, ttlMs: number, revision: number): Promise<Lease | undefined> => {
    const at = Date.now();
    try {
      const fence = await kv.put(name, bytes.encode(JSON.stringify({ owner, ttlMs })), { previousSeq: revision });
      seen.set(name, { revision: fence, at });
      return { name, owner, fence, expiresAt: at + ttlMs };
    } catch (error) {
      if ((error as { code?: number }).code === 10071 || errorMessage(error).includes('wrong last sequence'))
        return undefined;
      throw error;
    }
  };
  return {
    acquire: async (name, owner, ttlMs) => {
      const entry = await look(name);
      if (entry === undefined) {
        const deleted = await kv.get(name);
        return put(name, owner, ttlMs, deleted?.revision ?? 0);
      }
      if (entry.owner !== owner && entry.until > Date.now()) return undefined;
      return put(name, owner, ttlMs, entry.revision);
    },
    renew: (lease, ttlMs) => put(lease.name, lease.owner, ttlMs, lease.fence),
    release: async (lease) => {
      await kv.delete(lease.name, { previousSeq: lease.fence }).catch(() => undefined);
    },
    holder: async (name) => {
      const entry = await look(name);
      if (entry === undefined || entry.until <= Date.now()) return undefined;
      return { name, owner: entry.owner, fence: entry.revision, expiresAt: entry.until };
    },
  };
}
