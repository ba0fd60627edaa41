import { parseStreamId, type StreamId, toAddress } from '../../../core/ids.ts';
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

function keysBelow(bucket: BucketName, stream: StreamId): readonly string[] {
  const { kind, key } = parseStreamId(stream);
  if (bucket === 'done' && kind !== 'network') return [cursorKey(chainCursorName(toAddress(key)))];
  return bucket === 'snap' ? snapshotPartKeys : [];
}
