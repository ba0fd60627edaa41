import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type NatsEventLog, openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { limits } from '../../src/core/limits.ts';
import type { StoredCommit } from '../../src/ports/event-store.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { commitAfter, commitChain, testStream } from './commits.ts';
import { appendAll, collect } from './event-store.harness.ts';

const nats = sharedNatsServer();
/** More than a reader has asked for at any moment. */
const many = limits.logPullsMax * limits.logPullCommitsMax + limits.logPullCommitsMax + 1;

let logs = 0;
let root: string;
let connection: NatsConnection;
let store: NatsEventLog;

beforeEach(async () => {
  logs += 1;
  root = `replay${logs}.v1`;
  connection = await connect({ servers: (await nats()).url });
  store = await openNatsEventStore({ connection, root, answerMs: 500 });
});
afterEach(async () => {
  await store.close();
  await connection.close();
});

/** Commits in ten streams, side by side. */
async function fill(count: number): Promise<void> {
  const streams = Array.from({ length: 10 }, (_, index) => commitChain(testStream(index + 1), Math.ceil(count / 10)));
  await Promise.all(streams.map((chain) => appendAll(store, chain)));
}

async function consumers(): Promise<string[]> {
  const manager = await jetstreamManager(connection);
  const names: string[] = [];
  for await (const { name } of manager.consumers.list(natsNames(root).log)) names.push(name);
  return names;
}

function expectInOrder(read: readonly StoredCommit[], last: number): void {
  expect(read.map(({ position }) => position)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
}

test('a replay goes on where it stood when its consumer is taken away, at any place', async () => {
  await fill(many);
  const total = Math.ceil(many / 10) * 10;
  const read: StoredCommit[] = [];
  const manager = await jetstreamManager(connection);
  for await (const stored of store.readAll()) {
    read.push(stored);
    if (read.length % 1_000 !== 1) continue;
    for (const name of await consumers()) await manager.consumers.delete(natsNames(root).log, name);
  }
  expectInOrder(read, total);
}, 60_000);

test.each([
  ['as many as one request brings', limits.logPullCommitsMax],
  ['one more', limits.logPullCommitsMax + 1],
])('a replay of a part, %s, ends where the log ended when it began', async (_what, count) => {
  const chain = commitChain(testStream(1), count);
  await appendAll(store, chain);
  const read: StoredCommit[] = [];
  for await (const stored of store.readAll()) {
    if (read.length === 0) await store.append(commitAfter(chain.at(-1), testStream(1)));
    read.push(stored);
  }
  expectInOrder(read, count);
  expect(await collect(store.readAll({ fromPosition: count }))).toHaveLength(2);
});

test('requests that are cut for the bytes of what they bring leave nothing out, and a reader leaves no consumer', async () => {
  // Three fit into one request, and the requests that are under way ask for all of them.
  const wide = 'x'.repeat(600_000);
  let before = commitAfter(undefined, testStream(1), wide);
  await store.append(before);
  for (let count = 1; count < 40; count += 1) {
    before = commitAfter(before, testStream(1), wide);
    await store.append(before);
  }
  expectInOrder(await collect(store.readAll()), 40);
  for await (const { position } of store.readAll()) if (position === 7) break;
  await expect.poll(consumers).toEqual([]);
}, 60_000);
