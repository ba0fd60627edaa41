import { systemClock } from '../adapters/local/system-clock.ts';
import { openNatsPresenceBoard } from '../adapters/nats/kv/presence-board.ts';
import { natsReplicas } from '../adapters/nats/prepare.ts';
import type { NodePresence } from '../ports/presence-board.ts';
import type { NatsPeerOptions } from './nats-options.ts';
import { connectPeer } from './nats-peer.ts';
import { shortId, table } from './table.ts';

/** What `pouw status` was asked for. */
export interface StatusOptions extends NatsPeerOptions {
  readonly json?: boolean;
}

/** Prints who is on the board of those present. */
export async function showStatus({ json, ...peer }: StatusOptions): Promise<void> {
  const link = await connectPeer('pouw status', peer);
  try {
    const { connection } = link;
    const replicas = await natsReplicas(connection);
    const board = await openNatsPresenceBoard({ connection, replicas, clock: systemClock });
    const nodes = await board.list();
    await board.close();
    process.stdout.write(json === true ? `${JSON.stringify(nodes)}\n` : `${statusTable(nodes, systemClock.now())}\n`);
  } finally {
    await link.close();
  }
}

/** The nodes as a table. */
export function statusTable(nodes: readonly NodePresence[], nowMs: number): string {
  if (nodes.length === 0) return 'Nobody is there.';
  const columns = ['role', 'node', 'models', 'host', 'process', 'up'].map((title) => ({ title }));
  const rows = nodes.map(({ role, address, models, host, pid, startedAt }) => [
    role,
    shortId(address),
    models.join(' ') || '–',
    host,
    String(pid),
    upFor(nowMs - startedAt),
  ]);
  return table(columns, rows);
}

function upFor(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
