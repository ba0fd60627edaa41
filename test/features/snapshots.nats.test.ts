import { createHash } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { type NatsSnapshots, openNatsSnapshots } from '../../src/adapters/nats/kv/snapshots.ts';
import { hashJson } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import type { SnapshotRecord } from '../../src/ports/snapshots.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { testStream } from './commits.ts';
import { snapshotsFeatures } from './snapshots.features.ts';

const nats = sharedNatsServer();
const stream = testStream('large');
let networks = 0;
let root: string;
let connection: NatsConnection;
let snapshots: NatsSnapshots;

beforeEach(async () => {
  networks += 1;
  root = `snap${networks}.v1`;
  connection = await connect({ servers: (await nats()).url });
  snapshots = await openNatsSnapshots({ connection, root });
});
afterEach(() => connection.close());

snapshotsFeatures('NATS', async () => ({
  snapshots,
  reopen: async () => {
    snapshots.close();
    return openNatsSnapshots({ connection, root });
  },
  close: () => Promise.resolve(),
}));

/** A snapshot of a state that compresses badly. */
function random(version: number, bytes: number): SnapshotRecord {
  let text = '';
  for (let block = 0; text.length < bytes; block++)
    text += createHash('sha512').update(`${version} ${block}`).digest('base64');
  const state = { text: text.slice(0, bytes) };
  return {
    stream,
    version,
    commitHash: hashJson(version),
    machineVersion: 1,
    stateHash: hashJson(state),
    state,
  };
}

test('keeps a state that fits into no message, and replaces it by larger and smaller ones', async () => {
  for (const [version, bytes] of [
    [1, limits.snapshotBytesMax - 100],
    [2, limits.snapshotBytesMax - 200],
    [3, 1_000],
    [4, 2 * limits.snapshotPartBytesMax],
  ] as const) {
    await snapshots.save(random(version, bytes));
    expect(await snapshots.load(stream)).toEqual(random(version, bytes));
  }
});

test('gives a state as it was saved or none, while it is being replaced', async () => {
  const states = [1, 2, 3, 4].map((version) => random(version, 3 * limits.snapshotPartBytesMax));
  const other = await openNatsSnapshots({ connection, root });
  const saving = new AbortController();
  const loaded: (SnapshotRecord | undefined)[] = [];
  const loading = (async () => {
    while (!saving.signal.aborted) loaded.push(await other.load(stream));
  })();
  for (const state of states) await snapshots.save(state);
  saving.abort();
  await loading;
  for (const one of loaded) expect([undefined, ...states]).toContainEqual(one);
  expect(await other.load(stream)).toEqual(states[3]);
});

test('an entry whose parts are missing, changed or no snapshot at all is none', async () => {
  const bucket = await Bucket.open('snap', { connection, root });
  await snapshots.save(random(1, 2 * limits.snapshotPartBytesMax));
  const part = await bucket.get(`${stream}.a.1`);
  await bucket.put(part.key, 'something else');
  expect(await snapshots.load(stream)).toBeUndefined();
  await bucket.put(part.key, part.value!);
  expect((await snapshots.load(stream))?.version).toBe(1);
  await bucket.remove(part.key, (await bucket.get(part.key)).revision);
  expect(await snapshots.load(stream)).toBeUndefined();
  for (const text of ['nonsense', '{}\n', '[]\n', JSON.stringify({ ...random(1, 1), digest: '0'.repeat(64) })]) {
    await bucket.put(stream, text);
    expect(await snapshots.load(stream)).toBeUndefined();
  }
});
