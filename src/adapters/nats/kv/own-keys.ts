import { type Address, parseStreamId, type StreamId, toAddress } from '../../../core/ids.ts';
import { anchorLease, leasesOfRouter } from '../../../core/lease-names.ts';
import { chainCursorName, cursorKey } from './cursors.ts';
import { snapshotPartKeys } from './snapshots.ts';

/** A bucket of the network. */
export type BucketName = 'lease' | 'snap' | 'done' | 'node';

/**
 * All keys that a node has in a bucket: the one of its stream, and beside it the parts of a large snapshot, and where the
 * node is on the chain.
 */
export function ownKeys(bucket: BucketName, stream: StreamId): readonly string[] {
  return [stream, ...keysBelow(bucket, stream).map((below) => `${stream}.${below}`)];
}

/**
 * The leases that a router may write, as patterns: those of groups of sessions that name it, and the anchorer's. Who could
 * write the others could keep the sessions of strangers from having an owner.
 */
export function leaseKeys(router: Address): readonly string[] {
  return [anchorLease, ...leasesOfRouter(router)];
}

function keysBelow(bucket: BucketName, stream: StreamId): readonly string[] {
  const { kind, key } = parseStreamId(stream);
  if (bucket === 'done' && kind !== 'network') return [cursorKey(chainCursorName(toAddress(key)))];
  return bucket === 'snap' ? snapshotPartKeys : [];
}
