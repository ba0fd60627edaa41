import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { canonicalJson } from '../../../core/canonical-json.ts';
import { sha256 } from '../../../core/hash.ts';
import type { StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { SnapshotRecord, Snapshots } from '../../../ports/snapshots.ts';
import { Turns } from '../store/turns.ts';
import { Bucket, type BucketOptions } from './bucket.ts';

/** Snapshots that end their use of the connection. */
export interface NatsSnapshots extends Snapshots {
  close(): void;
}

/** The first line of an entry: what a snapshot is, and where its compressed state is. */
interface Head extends Omit<SnapshotRecord, 'stream' | 'state'> {
  /** SHA-256 over the compressed state. */
  readonly digest: string;
  /** Left out where the state follows the line. */
  readonly parts?: { readonly slot: Slot; readonly count: number };
}

/** The parts of a large state are written beside those of the one before, which stay readable until the head changes. */
type Slot = 'a' | 'b';

const slots: readonly Slot[] = ['a', 'b'];
/** The most that a state can have; compressing one that cannot be makes it a little longer. */
const partsMax = Math.ceil(limits.snapshotBytesMax / limits.snapshotPartBytesMax) + 1;

function partOfSlot(slot: Slot, index: number): string {
  return `${slot}.${index}`;
}

/** Where the parts of a large state can be, below the key of its stream. */
export const snapshotPartKeys: readonly string[] = slots.flatMap((slot) =>
  Array.from({ length: partsMax }, (_, index) => partOfSlot(slot, index)),
);

/** Saves and loads under way at a time. */
const underWayMax = 64;
/** A reader that comes while a large state is being replaced twice finds parts that do not belong together. */
const loadTriesMax = 2;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/**
 * Opens the snapshots of the network: the bucket `snap`. A state is compressed; one that does not fit into one message
 * is cut into parts that are written before the entry that names them, so that a snapshot is there as a whole or not.
 * A state beyond `limits.snapshotBytesMax` is not kept.
 *
 * @throws PouwError `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsSnapshots(options: BucketOptions): Promise<NatsSnapshots> {
  const bucket = await Bucket.open('snap', options);
  // What is saved for one stream is saved in order.
  const turns = new Turns(underWayMax);
  return {
    load: (stream) => load(bucket, stream),
    save: async (snapshot) => {
      const text = canonicalJson(snapshot.state);
      if (Buffer.byteLength(text) > limits.snapshotBytesMax) return;
      await turns.run(snapshot.stream, () => save(bucket, snapshot, text));
    },
    close: () => bucket.close(),
  };
}

async function save(bucket: Bucket, snapshot: SnapshotRecord, text: string): Promise<void> {
  const { stream, version, commitHash, machineVersion, stateHash } = snapshot;
  const state = await compress(text);
  const head = { version, commitHash, machineVersion, stateHash, digest: sha256(state) };
  if (state.length <= limits.snapshotPartBytesMax) {
    await bucket.put(stream, joined(head, state));
    return;
  }
  const slot = otherSlot(headIn((await bucket.get(stream)).value)?.head);
  const count = Math.ceil(state.length / limits.snapshotPartBytesMax);
  const parts = Array.from({ length: count }, (_, index) => partOf(state, index));
  await Promise.all(parts.map((part, index) => bucket.put(partKey(stream, slot, index), part)));
  await bucket.put(stream, joined({ ...head, parts: { slot, count } }, new Uint8Array()));
}

async function load(bucket: Bucket, stream: StreamId): Promise<SnapshotRecord | undefined> {
  for (let tries = 0; tries < loadTriesMax; tries++) {
    const found = headIn((await bucket.get(stream)).value);
    if (found === undefined) return undefined;
    const { digest, parts, ...record } = found.head;
    const state = parts === undefined ? found.rest : await gather(bucket, stream, parts);
    if (state !== undefined && sha256(state) === digest) return opened(stream, record, state);
  }
  return undefined;
}

/** The parts of a state as one; undefined where one is missing. */
async function gather(
  bucket: Bucket,
  stream: StreamId,
  { slot, count }: NonNullable<Head['parts']>,
): Promise<Uint8Array | undefined> {
  if (!(count <= limits.snapshotBytesMax / limits.snapshotPartBytesMax + 1)) return undefined;
  const entries = await Promise.all(
    Array.from({ length: count }, (_, index) => bucket.get(partKey(stream, slot, index))),
  );
  const parts = entries.map(({ value }) => value).filter((value) => value !== undefined);
  return parts.length === count ? Buffer.concat(parts) : undefined;
}

async function opened(
  stream: StreamId,
  record: Omit<SnapshotRecord, 'stream' | 'state'>,
  state: Uint8Array,
): Promise<SnapshotRecord | undefined> {
  try {
    const text = await decompress(state, { maxOutputLength: limits.snapshotBytesMax });
    return { stream, ...record, state: JSON.parse(text.toString('utf8')) as unknown };
  } catch {
    // A damaged cache entry is none: the state is folded from the log again.
    return undefined;
  }
}

function joined(head: Head, state: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), state]);
}

function headIn(value: Uint8Array | undefined): { readonly head: Head; readonly rest: Uint8Array } | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf('\n'.charCodeAt(0));
  try {
    const head = JSON.parse(Buffer.from(value.subarray(0, Math.max(end, 0))).toString('utf8')) as Partial<Head>;
    const { version, commitHash, machineVersion, stateHash, digest, parts } = head;
    if (!Number.isSafeInteger(version) || !Number.isSafeInteger(machineVersion)) return undefined;
    if (![commitHash, stateHash, digest].every((text) => typeof text === 'string')) return undefined;
    if (parts !== undefined && (!Number.isSafeInteger(parts.count) || !['a', 'b'].includes(parts.slot)))
      return undefined;
    return { head: head as Head, rest: value.subarray(end + 1) };
  } catch {
    // Not ours, or damaged: as good as none.
    return undefined;
  }
}

function otherSlot(head: Head | undefined): Slot {
  return head?.parts?.slot === 'a' ? 'b' : 'a';
}

function partKey(stream: StreamId, slot: Slot, index: number): string {
  return `${stream}.${partOfSlot(slot, index)}`;
}

function partOf(state: Uint8Array, index: number): Uint8Array {
  return state.subarray(index * limits.snapshotPartBytesMax, (index + 1) * limits.snapshotPartBytesMax);
}
