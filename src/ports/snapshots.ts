import type { StreamId } from '../core/ids.ts';

/** A folded state kept as a cache: thrown away when version or hash do not match. */
export interface SnapshotRecord {
  readonly stream: StreamId;
  /** The stream version it was folded to. */
  readonly version: number;
  /** The hash of the commit at that version: a snapshot of another history is useless. */
  readonly commitHash: string;
  /** The machine that folded it; another machine version cannot use it. */
  readonly machineVersion: number;
  /** `hashJson` of `state`. */
  readonly stateHash: string;
  /** The state, JSON. */
  readonly state: unknown;
}

/** Where snapshots are kept. Losing one costs time only. */
export interface Snapshots {
  load(stream: StreamId): Promise<SnapshotRecord | undefined>;
  save(snapshot: SnapshotRecord): Promise<void>;
}
