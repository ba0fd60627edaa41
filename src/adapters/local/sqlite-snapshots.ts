import { canonicalJson } from '../../core/canonical-json.ts';
import type { StreamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { SnapshotRecord, Snapshots } from '../../ports/snapshots.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

type SnapshotRow = [version: number, commitHash: string, machineVersion: number, stateHash: string, state: string];

/**
 * Snapshots in the node's database, the newest save of each stream. Saving lags behind: a snapshot that a
 * crash takes costs time only. A state beyond `limits.snapshotBytesMax` is not kept.
 */
export function createSqliteSnapshots(database: SqliteDatabase): Snapshots {
  const select = database.connection.prepare(
    'SELECT version, commit_hash, machine_version, state_hash, state FROM snapshots WHERE stream = ?',
    { returnArrays: true },
  );
  const upsert = database.connection.prepare(
    'INSERT OR REPLACE INTO snapshots (stream, version, commit_hash, machine_version, state_hash, state) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return {
    load: async (stream) => {
      const row = database.reading(() => select.get(stream)) as unknown as SnapshotRow | undefined;
      return row && toRecord(stream, row);
    },
    save: async ({ stream, version, commitHash, machineVersion, stateHash, state }) => {
      const text = canonicalJson(state);
      if (Buffer.byteLength(text) > limits.snapshotBytesMax) return;
      database.writes.writeLagging(() => upsert.run(stream, version, commitHash, machineVersion, stateHash, text));
    },
  };
}

function toRecord(stream: StreamId, row: SnapshotRow): SnapshotRecord | undefined {
  const [version, commitHash, machineVersion, stateHash, text] = row;
  try {
    return { stream, version, commitHash, machineVersion, stateHash, state: JSON.parse(text) as unknown };
  } catch {
    // A damaged cache entry is none: the state is folded from the log again.
    return undefined;
  }
}
