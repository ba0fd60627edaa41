import { openSync, writeSync } from 'node:fs';
import { openLocalStores } from '../../adapters/local/local-stores.ts';
import { systemClock } from '../../adapters/local/system-clock.ts';
import { openNatsLeases } from '../../adapters/nats/kv/leases.ts';
import { openNatsSnapshots } from '../../adapters/nats/kv/snapshots.ts';
import type { NatsLink } from '../../adapters/nats/link.ts';
import { openNatsEventStore } from '../../adapters/nats/store/event-store.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Cursors, EffectJournal } from '../../ports/effect-journal.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Log } from '../../ports/log.ts';
import type { Snapshots } from '../../ports/snapshots.ts';
import type { NodeConfig } from '../config/schema.ts';
import { Closers } from './closers.ts';

/** What a node process keeps on NATS, and beside it in its own folder. */
export interface NatsStores {
  readonly events: EventStore;
  readonly snapshots: Snapshots;
  /**
   * Which effects are done, in the node's own folder. The next owner of a session does not have these marks: it carries
   * all of the session's effects out again, under the ids under which receivers and contracts know them.
   */
  readonly journal: EffectJournal;
  readonly cursors: Cursors;
  readonly leases: Leases;
  close(): Promise<void>;
}

/** Opens them. @throws PouwError `log_unreachable`, `nats_unreachable`, `nats_stream_differs`, `nats_config_ignored`. */
export async function openNatsStores(
  { connection }: NatsLink,
  { replicas, acks }: NodeConfig,
  folder: string,
  log: Log,
): Promise<NatsStores> {
  const closers = new Closers();
  const onError = (error: unknown): void => log.error('log', { error: errorMessage(error) });
  try {
    const events = await openNatsEventStore({ connection, replicas, onError });
    closers.add(() => events.close());
    const snapshots = await openNatsSnapshots({ connection, replicas });
    closers.add(async () => snapshots.close());
    const leases = await openNatsLeases({ connection, replicas, clock: systemClock });
    closers.add(async () => leases.close());
    const own = openLocalStores({ path: `${folder}/marks.sqlite` });
    closers.add(() => own.close());
    return {
      events: acks === undefined ? events : noteAcknowledged(events, openSync(acks, 'a')),
      snapshots,
      journal: own.journal,
      cursors: own.cursors,
      leases,
      close: () => closers.closeAll(),
    };
  } catch (error) {
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
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
