/**
 * A process that has the sessions of a log on NATS in hand, as a router has: prints what it takes with the log open, and
 * once it knows every session, in bytes. Run by `nats-sessions.ts` with the address of the server.
 */
import { connect } from 'nats';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { LogIndex } from '../../src/nodes/log-index.ts';

/** What {@link natsSessions} reads. */
export interface HostMeasure {
  readonly sessions: number;
  /** Resident memory before and after the log was read. */
  readonly openBytes: number;
  readonly knownBytes: number;
  /** Milliseconds to read it. */
  readonly readMs: number;
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

const connection = await connect({ servers: process.argv[2] ?? '', noAsyncTraces: true });
const store = await openNatsEventStore({ connection });
const index = new LogIndex();
const openBytes = residentBytes();
const startedAt = performance.now();
await index.start(store);
const readMs = performance.now() - startedAt;
const measure: HostMeasure = { sessions: index.sessions().length, openBytes, knownBytes: residentBytes(), readMs };
process.stdout.write(JSON.stringify(measure));
await index.stop();
await store.close();
await connection.close();
