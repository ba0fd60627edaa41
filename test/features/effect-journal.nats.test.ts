import { connect, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { openNatsCursors } from '../../src/adapters/nats/kv/cursors.ts';
import { openNatsEffectJournal, type NatsEffectJournal } from '../../src/adapters/nats/kv/effect-journal.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type EffectId, effectId, streamId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { commitChain, testStream } from './commits.ts';
import { type EffectJournalParts, effectJournalFeatures } from './effect-journal.features.ts';
import { pouwError } from './pouw-error.ts';

const nats = sharedNatsServer();
const stream = testStream('a');
const owner = streamId('router', '0xabc');
let networks = 0;
let root: string;
let connection: NatsConnection;
let events: EventStore;
let journal: NatsEffectJournal;

beforeEach(async () => {
  networks += 1;
  root = `done${networks}.v1`;
  connection = await connect({ servers: (await nats()).url });
  events = await openNatsEventStore({ connection, root });
  journal = await openNatsEffectJournal({ connection, root, events });
});
afterEach(async () => {
  await events.close();
  await connection.close();
});

async function parts(): Promise<EffectJournalParts> {
  const cursors = await openNatsCursors({ connection, root, owner });
  return { journal: await openNatsEffectJournal({ connection, root, events }), cursors, events };
}

effectJournalFeatures('NATS', async () => ({
  ...(await parts()),
  reopen: parts,
  close: () => Promise.resolve(),
}));

/** How often something was written to the bucket. */
async function writes(): Promise<number> {
  const bucket = await Bucket.open('done', { connection, root });
  const revision = await bucket.put('count', '');
  bucket.close();
  return revision;
}

test('shows the next owner of a stream what the one before has done, and keeps the marks of both', async () => {
  const next = await openNatsEffectJournal({ connection, root, events });
  await journal.markDone(effectId(stream, 1, 0));
  expect((await next.done(stream)).ids).toEqual(new Set([effectId(stream, 1, 0)]));
  await Promise.all([
    next.markDone(effectId(stream, 2, 0)),
    journal.markDone(effectId(stream, 3, 0)),
    next.markDone(effectId(stream, 4, 0)),
    journal.advance(stream, 1),
  ]);
  const expected = { watermark: 1, ids: new Set([2, 3, 4].map((version) => effectId(stream, version, 0))) };
  expect(await journal.done(stream)).toEqual(expected);
  expect(await next.done(stream)).toEqual(expected);
});

test('writes many marks of one stream together, and resolves each when it is kept', async () => {
  const before = await writes();
  const ids = Array.from({ length: 1_000 }, (_, n) => effectId(stream, 1 + (n % 10), n));
  let resolved = 0;
  const marking = ids.map((id) => journal.markDone(id).then(() => (resolved += 1)));
  expect(resolved).toBe(0);
  await Promise.all(marking);
  // Those of the first turn wait for the first read; whatever came meanwhile is one more write.
  expect((await writes()) - before - 1).toBeLessThanOrEqual(2);
  const other = await openNatsEffectJournal({ connection, root, events });
  expect((await other.done(stream)).ids).toEqual(new Set<EffectId>(ids));
});

test('takes as many effects out of order as may be, and says of one more that it is too much', async () => {
  const ids = Array.from({ length: limits.journalDoneMax }, (_, n) => effectId(stream, 2, n));
  await Promise.all(ids.map((id) => journal.markDone(id)));
  expect((await journal.done(stream)).ids.size).toBe(limits.journalDoneMax);
  await expect(journal.markDone(effectId(stream, 3, 0))).rejects.toEqual(pouwError('journal_full'));
  await journal.advance(stream, 2);
  await journal.markDone(effectId(stream, 3, 0));
  expect(await journal.done(stream)).toEqual({ watermark: 2, ids: new Set([effectId(stream, 3, 0)]) });
});

test('knows nothing of an entry that cannot be read, and replaces it', async () => {
  const bucket = await Bucket.open('done', { connection, root });
  for (const text of ['nonsense', '{}', '{"watermark":-1,"done":[]}', '{"watermark":1,"done":[[1]]}']) {
    await bucket.put(stream, text);
    const fresh = await openNatsEffectJournal({ connection, root, events });
    expect(await fresh.done(stream)).toEqual({ watermark: 0, ids: new Set() });
    await fresh.advance(stream, 4);
    expect((await fresh.done(stream)).watermark).toBe(4);
    fresh.close();
  }
});

test('wakes the streams it was told of and no others', async () => {
  for (const key of ['a', 'b', 'c']) {
    for (const commit of commitChain(testStream(key), 2)) await events.append(commit);
  }
  const streams = [testStream('a'), testStream('b'), testStream('none')];
  const own = await openNatsEffectJournal({ connection, root, events, streams });
  await own.advance(testStream('b'), 2);
  expect(await own.unfinished()).toEqual([testStream('a')]);
  expect(await journal.unfinished()).toEqual([testStream('a'), testStream('c')]);
});

test('nodes have cursors of their own, beside their marks', async () => {
  const other = await openNatsCursors({ connection, root, owner: streamId('router', '0xdef') });
  const own = await openNatsCursors({ connection, root, owner });
  await own.save('chain', 'mine');
  await journal.advance(owner, 3);
  expect(await other.load('chain')).toBeUndefined();
  expect(await own.load('chain')).toBe('mine');
  expect(await journal.unfinished()).toEqual([]);
});
