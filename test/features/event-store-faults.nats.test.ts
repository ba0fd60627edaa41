import { readFile } from 'node:fs/promises';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection, nanos } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type NatsEventLog, openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { logError } from '../../src/adapters/nats/store/nats-errors.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { commitMessageId } from '../../src/adapters/nats/store/stored-commit.ts';
import { type Commit, commitFormat } from '../../src/core/commit.ts';
import { limits } from '../../src/core/limits.ts';
import { eventSubject, storedSubject } from '../../src/messages/subjects.ts';
import type { StoredCommit } from '../../src/ports/event-store.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { commitAfter, commitChain, resealed, testStream } from './commits.ts';
import { appendAll, collect } from './event-store.harness.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError, textWith } from './pouw-error.ts';

const nats = sharedNatsServer();
const smallServer = sharedNatsServer({ settings: { maxPayloadBytes: 65_536 } });
const stream = testStream(1);
const patienceMs = 20_000;

let logs = 0;
let root: string;
let connection: NatsConnection;
let store: NatsEventLog;
let reported: unknown[];

beforeEach(async () => {
  logs += 1;
  root = `faults${logs}.v1`;
  reported = [];
  connection = await connect({ servers: (await nats()).url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  store = await open({ answerMs: 200 });
});
afterEach(async () => {
  await store.close();
  await connection.close();
});

function open(options: { answerMs?: number; reachMs?: number; replicas?: number } = {}): Promise<NatsEventLog> {
  return openNatsEventStore({ connection, root, onError: (error) => void reported.push(error), ...options });
}

/** Puts a message into the log behind the store's back. */
async function publish(commit: Commit, text = JSON.stringify(commit)): Promise<void> {
  await jetstream(connection).publish(eventSubject(commit.stream, root), text, { msgID: commitMessageId(commit) });
}

/** Takes the log away and makes another in its place, with fewer promises. */
async function replaceLog(config: { first_seq?: number } = {}): Promise<void> {
  const manager = await jetstreamManager(connection);
  const { log } = natsNames(root);
  await manager.streams.delete(log);
  await manager.streams.add({ name: log, subjects: [`${root}.evt.>`], allow_direct: true, ...config });
}

/** Whether a process stands still: on a busy machine it takes a moment to. */
async function isFrozen(pid: number | undefined): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return /^\d+ \(.*\) T /.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

function hashes(commits: readonly StoredCommit[]): string[] {
  return commits.map(({ commit }) => commit.hash);
}

test('a commit whose answer is lost is sent again, stored once and known to be stored', async () => {
  const server = await nats();
  const [first, second] = commitChain(stream, 2) as [Commit, Commit];
  await store.append(first);
  server.pause();
  const appended = store.append(second);
  await aMoment(700);
  server.resume();
  expect(await appended).toEqual({ outcome: 'stored', position: 2 });
  await aMoment();
  expect(hashes(await collect(store.readAll()))).toEqual([first.hash, second.hash]);
});

test('a server that dies in the midst of appends and comes back has every commit once', async () => {
  const server = await nats();
  const chains = Array.from({ length: 8 }, (_, key) => commitChain(testStream(key), 60));
  const appending = chains.map(async (chain) => {
    for (const commit of chain) expect((await store.append(commit)).outcome).toBe('stored');
  });
  await aMoment(40);
  await server.kill();
  await server.restart();
  await Promise.all(appending);
  for (const chain of chains) {
    expect(hashes(await collect(store.read(chain[0]!.stream)))).toEqual(chain.map(({ hash }) => hash));
  }
  expect(await collect(store.readAll())).toHaveLength(480);
}, 60_000);

test('a log that stays silent is log_unreachable, and the same append later tells what became of it', async () => {
  const server = await nats();
  const impatient = await open({ answerMs: 200, reachMs: 600 });
  const [first, second] = commitChain(stream, 2) as [Commit, Commit];
  await impatient.append(first);
  server.pause();
  await expect.poll(() => isFrozen(server.pid)).toBe(true);
  try {
    await expect(impatient.append(second)).rejects.toEqual(pouwError('log_unreachable', { class: 'unavailable' }));
    await expect(impatient.head(stream)).rejects.toEqual(pouwError('log_unreachable'));
    await expect(collect(impatient.readAll())).rejects.toEqual(pouwError('log_unreachable'));
  } finally {
    server.resume();
  }
  await aMoment(100);
  expect(await impatient.append(second)).toEqual({ outcome: 'duplicate', position: 2 });
  expect(await store.append(commitAfter(first, stream, 'a rival'))).toEqual({ outcome: 'conflict', version: 2 });
  await impatient.close();
});

test('a subscriber gets every commit once and in order over restarts of the server', async () => {
  const server = await nats();
  const seen: StoredCommit[] = [];
  const subscription = store.subscribe(1, (stored) => void seen.push(stored));
  const chain = commitChain(stream, 40);
  for (const part of [0, 1, 2, 3]) {
    await appendAll(store, chain.slice(part * 10, part * 10 + 10));
    if (part === 3) break;
    await (part === 1 ? server.kill() : server.stop());
    await server.restart();
  }
  await eventually('all commits', () => seen.length >= 40, patienceMs);
  await aMoment(50);
  expect(hashes(seen)).toEqual(chain.map(({ hash }) => hash));
  await subscription.close();
}, 60_000);

test('a repeated commit is a duplicate after the server has forgotten its id', async () => {
  const manager = await jetstreamManager(connection);
  await manager.streams.update(natsNames(root).log, { duplicate_window: nanos(100) });
  const chain = commitChain(stream, 3);
  await appendAll(store, chain);
  await aMoment(400);
  const other = await openNatsEventStore({ connection, root, reachMs: 1_000 }).catch((error: unknown) => error);
  expect(other).toEqual(pouwError('nats_config_ignored'));
  for (const commit of chain.toReversed()) {
    expect(await store.append(commit)).toEqual({ outcome: 'duplicate', position: commit.version });
  }
  await publish(commitAfter(chain[2], stream));
  expect(await store.append(commitAfter(chain[2], stream))).toEqual({ outcome: 'duplicate', position: 4 });
  expect(await store.append(commitAfter(chain[2], stream, 'a rival'))).toEqual({ outcome: 'conflict', version: 4 });
});

test.each([
  ['no JSON', '{"v":1,'],
  ['a value that is no commit', '[]'],
  ['a commit without a hash', JSON.stringify({ ...commitAfter(undefined, stream), hash: undefined })],
  ['a commit with a member more', JSON.stringify({ ...commitAfter(undefined, stream), more: 1 })],
  ['a commit of a newer format without the form of one', JSON.stringify({ v: commitFormat + 1, stream })],
  ['a commit of another stream', JSON.stringify(commitAfter(undefined, testStream(2)))],
])('%s counts for nothing: readers, followers and appends go on behind it', async (_what, text) => {
  await publish(commitAfter(undefined, stream), text);
  expect(await store.head(stream)).toBeUndefined();
  expect(await collect(store.read(stream))).toEqual([]);
  expect(await collect(store.readAll())).toEqual([]);
  const [first, second] = commitChain(stream, 2) as [Commit, Commit];
  expect(await store.append(first)).toEqual({ outcome: 'stored', position: 2 });
  await publish(second, text);
  expect(await store.append(second)).toEqual({ outcome: 'stored', position: 4 });
  expect(hashes(await collect(store.read(stream)))).toEqual([first.hash, second.hash]);
  expect(await store.head(stream)).toEqual({ stream, version: 2, hash: second.hash, position: 4 });
  expect(await collect(store.heads())).toEqual([{ stream, version: 2, hash: second.hash, position: 4 }]);
  const all = await collect(store.readAll());
  expect(all.map(({ position, passed = [] }) => [position, passed.length])).toEqual([
    [2, 1],
    [4, 1],
  ]);
  const seen: number[] = [];
  store.subscribe(1, ({ position }) => void seen.push(position));
  await eventually('all commits', () => seen.length === 2, patienceMs);
  expect({ seen, reported }).toEqual({ seen: [2, 4], reported: [] });
});

test('the id of a message says nothing of the commit in it', async () => {
  const chain = commitChain(stream, 3);
  const [first, second, third] = chain as [Commit, Commit, Commit];
  await publish(third, JSON.stringify(first));
  const client = jetstream(connection);
  await client.publish(eventSubject(stream, root), JSON.stringify(second));
  await store.append(third);
  expect(hashes(await collect(store.read(stream)))).toEqual(hashes(chain.map((commit) => ({ commit, position: 0 }))));
});

test('a commit in a place of another shard is none of its stream', async () => {
  const commit = commitAfter(undefined, stream);
  const subject = eventSubject(stream, root).replace(
    /evt\.(\d\d)/,
    (_, shard) => `evt.${shard === '00' ? '01' : '00'}`,
  );
  await jetstream(connection).publish(subject, JSON.stringify(commit));
  expect(await collect(store.readAll())).toEqual([]);
  expect(await store.append(commit)).toEqual({ outcome: 'stored', position: 2 });
});

test('a stream whose author writes a newer format is log_newer_version from there on; the others are read', async () => {
  const [first, second] = commitChain(stream, 2) as [Commit, Commit];
  const other = commitAfter(undefined, testStream(2));
  await publish(first);
  await publish({ ...second, v: commitFormat + 1 });
  await publish(other);
  const newer = pouwError('log_newer_version', { details: { stream, version: 2 } });
  expect(hashes(await collect(store.readAll()))).toEqual([first.hash, other.hash]);
  await expect(collect(store.read(stream))).rejects.toEqual(newer);
  await expect(store.head(stream)).rejects.toEqual(newer);
  await expect(store.append(second)).rejects.toEqual(newer);
  expect((await store.head(other.stream))?.version).toBe(1);
});

test('a commit that is gone from the middle is log_gap, and so are the first ones', async () => {
  await replaceLog();
  for (const commit of commitChain(stream, 4)) await publish(commit);
  const manager = await jetstreamManager(connection);
  await manager.streams.deleteMessage(natsNames(root).log, 2);
  const gap = pouwError('log_gap', { details: expect.objectContaining({ position: 2 }) });
  await expect(collect(store.readAll())).rejects.toEqual(gap);
  await expect(collect(store.read(stream))).rejects.toEqual(gap);
  const seen: number[] = [];
  store.subscribe(1, ({ position }) => void seen.push(position));
  await eventually('the report', () => reported.length > 0, patienceMs);
  expect({ seen, reported }).toEqual({ seen: [1], reported: [gap] });
  await replaceLog({ first_seq: 5 });
  await publish(commitAfter(undefined, stream));
  await expect(collect(store.readAll())).rejects.toEqual(pouwError('log_gap'));
});

test('a follower that is ahead of a log which lost its last commits says log_gap', async () => {
  const chain = commitChain(stream, 4);
  await appendAll(store, chain);
  const seen: number[] = [];
  store.subscribe(1, ({ position }) => void seen.push(position));
  await eventually('all commits', () => seen.length === 4, patienceMs);
  await replaceLog();
  for (const commit of chain.slice(0, 2)) await publish(commit);
  await publish(commitAfter(chain[1], stream, 'written instead'));
  await publish(commitAfter(chain[2], stream, 'written instead, too'));
  await connection.reconnect();
  await eventually('the report', () => reported.length > 0, patienceMs);
  expect(reported).toEqual([pouwError('log_gap', { details: { position: 4, hash: chain[3]?.hash } })]);
  expect(() => store.requireFollowed()).toThrow(pouwError('log_gap'));
});

test.each([
  ['no position', undefined],
  ['one far beyond the log', '1000000000000000'],
  ['nonsense', 'x'],
])('a follower that is told of %s still says log_gap when the log has lost its last commits', async (_what, told) => {
  const seen: StoredCommit[] = [];
  await appendAll(store, commitChain(stream, 10));
  store.subscribe(1, (stored) => void seen.push(stored));
  await eventually('all commits', () => seen.length === 10, patienceMs);
  const extra = headers();
  if (told !== undefined) extra.set('Nats-Sequence', told);
  connection.publish(storedSubject(stream, root), 'x', { headers: extra });
  await connection.flush();
  await replaceLog();
  await eventually('the gap', () => reported.length > 0, patienceMs);
  expect(reported[0]).toEqual(pouwError('log_gap'));
});

test('a follower finds commits that nobody told it of', async () => {
  await replaceLog();
  const chain = commitChain(stream, 3);
  const seen: StoredCommit[] = [];
  const subscription = store.subscribe(1, (stored) => void seen.push(stored));
  await aMoment(100);
  for (const commit of chain) await publish(commit);
  await eventually('all commits', () => seen.length >= 3, patienceMs);
  expect(hashes(seen)).toEqual(chain.map(({ hash }) => hash));
  await subscription.close();
});

test('a version that a stream leaves out does not count until the one before it is there', async () => {
  const [first, second, third] = commitChain(stream, 3) as [Commit, Commit, Commit];
  for (const commit of [first, third, second]) await publish(commit);
  const seen: number[] = [];
  store.subscribe(1, ({ position }) => void seen.push(position));
  await eventually('the commits', () => seen.length === 2, patienceMs);
  expect(seen).toEqual([1, 3]);
  // The same commit again is another message with the same id: the server would take it for a duplicate.
  await jetstream(connection).publish(eventSubject(stream, root), JSON.stringify(third));
  await eventually('the third', () => seen.length === 3, patienceMs);
  expect({ seen, reported }).toEqual({ seen: [1, 3, 4], reported: [] });
});

test('a log whose consumers others have used up is read without one, and what needs one says so', async () => {
  await appendAll(store, commitChain(stream, 5));
  const manager = await jetstreamManager(connection);
  const { log } = natsNames(root);
  const add = (durable: string): Promise<unknown> =>
    manager.consumers.add(log, { durable_name: durable, ack_policy: AckPolicy.None, mem_storage: true });
  const refusal: unknown = await (async () => {
    for (let count = 0; ; count += 50) {
      const names = Array.from({ length: 50 }, (_, index) => `greedy-${count + index}`);
      const found = (await Promise.all(names.map((name) => add(name).catch((error: unknown) => error)))).find(
        (made) => made instanceof Error,
      );
      if (found !== undefined || count > 5_000) return found;
    }
  })();
  expect(logError(log, refusal)).toEqual(pouwError('nats_consumers_full', { class: 'unavailable' }));
  expect(await collect(store.readAll())).toHaveLength(5);
  const restarted = await open();
  expect(await collect(restarted.readAll())).toHaveLength(5);
  expect(await collect(restarted.heads())).toHaveLength(1);
  expect((await restarted.append(commitAfter(commitChain(stream, 5)[4], stream))).outcome).toBe('stored');
  await restarted.close();
}, 60_000);

test('nobody can take a commit out of the log', async () => {
  await store.append(commitAfter(undefined, stream));
  const manager = await jetstreamManager(connection);
  const { log } = natsNames(root);
  await expect(manager.streams.deleteMessage(log, 1)).rejects.toThrow('not permitted');
  await expect(manager.streams.purge(log)).rejects.toThrow('not permitted');
  await expect(manager.streams.update(log, { deny_delete: false })).rejects.toThrow('deny');
  expect(await collect(store.readAll())).toHaveLength(1);
});

test('a stream that is set up otherwise is refused, and what differs is named', async () => {
  await expect(open({ replicas: 3 })).rejects.toEqual(
    pouwError('nats_config_ignored', { why: textWith('num_replicas') }),
  );
  await replaceLog();
  await expect(open()).rejects.toEqual(pouwError('nats_config_ignored', { why: textWith('deny_delete') }));
});

test('a commit that the server would not take is commit_too_large, and the connection lives on', async () => {
  const small = await connect({ servers: (await smallServer()).url });
  const there = await openNatsEventStore({ connection: small, root });
  const padded = (bytes: number): Commit =>
    resealed(commitAfter(undefined, stream), { events: [{ type: 'Noted', note: 'x'.repeat(bytes) }] });
  await expect(there.append(padded(limits.commitBytesMax))).rejects.toEqual(pouwError('commit_too_large'));
  await expect(there.append(padded(65_000))).rejects.toEqual(
    pouwError('commit_too_large', { why: textWith('max_payload') }),
  );
  expect(await there.append(padded(64_000))).toEqual({ outcome: 'stored', position: 1 });
  await there.close();
  await small.close();
});

test('a full log refuses commits and forgets none', async () => {
  const manager = await jetstreamManager(connection);
  await manager.streams.update(natsNames(root).log, { max_bytes: 4_096 });
  const chain = commitChain(stream, 20);
  const outcomes = [];
  for (const commit of chain) outcomes.push(await store.append(commit).catch((error: unknown) => error));
  const stored = outcomes.findIndex((outcome) => outcome instanceof Error);
  expect(stored).toBeGreaterThan(1);
  expect(outcomes[stored]).toEqual(pouwError('disk_full'));
  expect(() => store.requireFollowed()).toThrow(expect.objectContaining({ code: 'disk_full' }));
  expect(hashes(await collect(store.readAll()))).toEqual(chain.slice(0, stored).map(({ hash }) => hash));
});

test('a store that is closed, or whose connection is, says log_closed', async () => {
  const commit = commitAfter(undefined, stream);
  const other = await connect({ servers: (await nats()).url });
  const orphan = await openNatsEventStore({ connection: other, root });
  await other.close();
  await expect(orphan.append(commit)).rejects.toEqual(pouwError('log_closed'));
  await store.close();
  await expect(store.append(commit)).rejects.toEqual(pouwError('log_closed'));
  await expect(collect(store.readAll())).rejects.toEqual(pouwError('log_closed'));
  expect(() => store.subscribe(1, () => undefined)).toThrow(pouwError('log_closed'));
});
