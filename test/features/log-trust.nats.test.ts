import { jetstream } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type NatsEventLog, openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import type { LogRegistry, OpeningRegistry, RefusedMessage } from '../../src/adapters/nats/store/log-trust.ts';
import type { RegisteredKey } from '../../src/core/author-rules.ts';
import { type Commit, commitFormat, type Event, genesisHash, sealCommit } from '../../src/core/commit.ts';
import { type Address, type Role, type StreamId, streamId } from '../../src/core/ids.ts';
import { eventSubject } from '../../src/messages/subjects.ts';
import type { StoredCommit } from '../../src/ports/event-store.ts';
import { nodes, type SampleNode } from '../fixtures/signed-log.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { testStream } from './commits.ts';
import { collect } from './event-store.harness.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const nats = sharedNatsServer();
const patienceMs = 20_000;
const { router, otherRouter, miner, oracle, stranger } = nodes;
const session = testStream(1);
const openedFor = (...routers: readonly SampleNode[]): Event => {
  return { type: 'SessionOpened', terms: { routers: routers.map(({ address }) => address) } };
};
const opened = openedFor(router);

let logs = 0;
let root: string;
let connection: NatsConnection;
let registry: TestRegistry;
let refused: RefusedMessage[];
let store: NatsEventLog;
const others: NatsEventLog[] = [];

/** A registry whose chain can be away, and in which somebody may register later. */
class TestRegistry implements LogRegistry {
  readonly known = new Map<Address, RegisteredKey>();
  /** What the chain has and nobody has asked for yet. */
  readonly later = new Map<Address, RegisteredKey>();
  asked = 0;
  chain: Promise<unknown> = Promise.resolve();
  /** Asked for the sessions of the chain, where there are any. */
  openings?: OpeningRegistry;

  add(role: Role, { address, signer }: SampleNode, where = this.known): void {
    where.set(address, { roles: [role], key: signer.publicKey });
  }

  get(address: Address): RegisteredKey | undefined {
    return this.known.get(address);
  }

  async learn(authors: readonly Address[]): Promise<void> {
    this.asked += 1;
    await this.chain;
    for (const author of authors) {
      const found = this.later.get(author);
      if (found !== undefined) this.known.set(author, found);
    }
  }
}

beforeEach(async () => {
  logs += 1;
  root = `trust${logs}.v1`;
  registry = new TestRegistry();
  for (const node of [router, otherRouter]) registry.add('router', node);
  registry.add('miner', miner);
  connection = await connect({ servers: (await nats()).url });
  refused = [];
  store = await openNatsEventStore({ connection, root, trust: { registry, onRefused: (one) => refused.push(one) } });
});
afterEach(async () => {
  for (const one of [store, ...others.splice(0)]) await one.close();
  await connection.close();
});

/** A chain that has these sessions, and answers once it is asked. */
function openingsOf(sessions: ReadonlyMap<string, readonly Address[]>): OpeningRegistry {
  const learned = new Set<string>();
  return {
    get: (one) => (learned.has(one) ? sessions.get(one) : undefined),
    learn: async (claims) => claims.forEach(({ session: one }) => learned.add(one)),
  };
}

/** A process that reads the log for the first time. */
async function another(): Promise<NatsEventLog> {
  const opening = await openNatsEventStore({ connection, root, trust: { registry } });
  others.push(opening);
  return opening;
}

interface Made {
  readonly before?: Commit;
  readonly stream?: StreamId;
  readonly by?: SampleNode;
  readonly events?: readonly Event[];
  readonly fence?: number;
}

function commit({ before, stream = session, by = router, events = [{ type: 'Noted' }], fence }: Made): Commit {
  const [version, prev] = [(before?.version ?? 0) + 1, before?.hash ?? genesisHash];
  const draft = { stream, version, at: version, author: by.address, cause: 'test', events, prev };
  return sealCommit(fence === undefined ? draft : { ...draft, fence }, by.signer);
}

/** Puts a message into the log as anybody with a key for the subject can. */
async function publish(sent: Commit, text = JSON.stringify(sent)): Promise<void> {
  await jetstream(connection).publish(eventSubject(sent.stream, root), text);
}

function hashes(commits: readonly StoredCommit[]): string[] {
  return commits.map(({ commit: { hash } }) => hash);
}

function asStored(...commits: readonly Commit[]): string[] {
  return commits.map(({ hash }) => hash);
}

/** What is forged at version 2 of a session, and why it does not count. */
const forgeries: readonly [string, (first: Commit) => Commit, string][] = [
  ['signed by nobody', (before) => ({ ...commit({ before }), sig: '0'.repeat(128) }), 'wrong_signature'],
  [
    'signed with the key of another',
    (before) => commit({ before, by: { address: router.address, signer: otherRouter.signer } }),
    'wrong_signature',
  ],
  ['whose author was changed', (before) => ({ ...commit({ before }), author: otherRouter.address }), 'wrong_hash'],
  ['by a router that its terms do not name', (before) => commit({ before, by: otherRouter }), 'forbidden_author'],
  ['by a miner', (before) => commit({ before, by: miner }), 'forbidden_author'],
  ['by nobody who is registered', (before) => commit({ before, by: stranger }), 'unknown_author'],
  ['that is there', (before) => before, 'wrong_version'],
  ['that follows another', (before) => commit({ before: { ...before, hash: 'f'.repeat(64) } }), 'broken_chain'],
  [
    'of a newer format, signed by nobody',
    (before) => ({ ...commit({ before }), v: commitFormat + 1, sig: '' }),
    'wrong_signature',
  ],
];

test.each(forgeries)('a commit %s changes nothing, and its place is still free', async (_what, forge, code) => {
  const first = commit({ events: [opened] });
  const second = commit({ before: first });
  await store.append(first);
  await publish(forge(first));
  expect(await store.append(second)).toEqual({ outcome: 'stored', position: 3 });
  const head = { stream: session, version: 2, hash: second.hash, position: 3 };
  for (const reader of [store, await another()]) {
    expect(hashes(await collect(reader.readAll()))).toEqual(asStored(first, second));
    expect(hashes(await collect(reader.read(session)))).toEqual(asStored(first, second));
    expect(await reader.head(session)).toEqual(head);
    expect(await collect(reader.heads())).toEqual([head]);
    const seen: number[] = [];
    reader.subscribe(1, ({ position }) => void seen.push(position));
    await eventually('both commits', () => seen.length === 2, patienceMs);
    expect(seen).toEqual([1, 3]);
    reader.requireFollowed();
  }
  expect(refused).toEqual([{ position: 2, code, stream: session }]);
});

// A server's own word, that there is no more, is empty too.
test.each([
  ['that is empty', undefined],
  ['that is empty and has the headers of a server', headers(404, 'No Messages')],
])('a message %s changes nothing, and what comes after it is read', async (_what, own) => {
  const first = commit({ events: [opened] });
  const second = commit({ before: first });
  await store.append(first);
  await jetstream(connection).publish(eventSubject(session, root), '', own === undefined ? {} : { headers: own });
  for (const reader of [store, await another()])
    expect(hashes(await collect(reader.readAll()))).toEqual(asStored(first));
  expect(await store.append(second)).toEqual({ outcome: 'stored', position: 3 });
  for (const reader of [store, await another()]) {
    expect(hashes(await collect(reader.readAll()))).toEqual(asStored(first, second));
    expect(hashes(await collect(reader.read(session)))).toEqual(asStored(first, second));
    expect(await reader.head(session)).toMatchObject({ version: 2, position: 3 });
  }
  expect(refused).toEqual([{ position: 2, code: 'wrong_form', stream: session }]);
});

/** What a router that a session does not name puts where the session will begin, and it. */
const beginnings: readonly [string, () => Commit][] = [
  ['that binds a key to it', () => commit({ by: otherRouter, events: [{ type: 'ApiKeyBound', keyHash: 'a' }] })],
  ['that opens it for its author', () => commit({ by: otherRouter, events: [openedFor(otherRouter)] })],
  [
    'that opens it for its author too',
    () => commit({ by: otherRouter, events: [openedFor(router, otherRouter)], fence: 1 }),
  ],
  ['that opens it for others', () => commit({ by: otherRouter, events: [opened] })],
  ['of a newer format', () => ({ ...commit({ by: otherRouter, events: [opened] }), v: commitFormat + 1 })],
  ['of a router of its own that does not open it', () => commit({})],
  ['that opens it late', () => commit({ events: [{ type: 'Noted' }, opened] })],
];

test.each(beginnings)('a first commit %s does not begin a session', async (_what, begin) => {
  registry.openings = openingsOf(new Map([[session.slice('session.'.length), [router.address]]]));
  await publish(begin());
  const first = commit({ events: [opened] });
  expect(await store.append(first)).toEqual({ outcome: 'stored', position: 2 });
  for (const reader of [store, await another()]) {
    expect(hashes(await collect(reader.readAll()))).toEqual(asStored(first));
    expect(await reader.head(session)).toMatchObject({ version: 1, position: 2 });
  }
  expect(refused).toEqual([{ position: 1, code: 'forbidden_author', stream: session }]);
});

test('a session that the chain does not have is not begun, and one that nobody asks the chain for by its routers only', async () => {
  registry.openings = openingsOf(new Map());
  await publish(commit({ events: [opened] }));
  expect(await collect(store.readAll())).toEqual([]);
  expect(refused).toEqual([{ position: 1, code: 'forbidden_author', stream: session }]);
  delete registry.openings;
  const trusting = await another();
  expect(hashes(await collect(trusting.readAll()))).toHaveLength(1);
  await publish(commit({ stream: testStream(2), by: otherRouter, events: [opened] }));
  expect(hashes(await collect(trusting.readAll()))).toHaveLength(1);
});

test('a fence that has passed, or that another holds, does not count; a higher one does', async () => {
  const terms = { type: 'SessionOpened', terms: { routers: [router.address, otherRouter.address] } };
  const first = commit({ events: [terms], fence: 2 });
  const second = commit({ before: first, by: otherRouter, fence: 3 });
  await publish(first);
  await publish(commit({ before: first, by: otherRouter, fence: 1 }));
  await publish(commit({ before: first, by: otherRouter, fence: 2 }));
  await publish(second);
  await publish(commit({ before: second, fence: 2 }));
  expect(hashes(await collect(store.readAll()))).toEqual(asStored(first, second));
  expect(refused.map(({ position, code }) => [position, code])).toEqual([
    [2, 'stale_fence'],
    [3, 'shared_fence'],
    [5, 'stale_fence'],
  ]);
});

test('a commit behind a forged one does not count either, though its author may write', async () => {
  const first = commit({ events: [opened] });
  const forged = { ...commit({ before: first }), sig: '0'.repeat(128) };
  await store.append(first);
  await publish(forged);
  await publish(commit({ before: forged }));
  expect(hashes(await collect(store.readAll()))).toEqual(asStored(first));
  expect(hashes(await collect((await another()).readAll()))).toEqual(asStored(first));
  expect(refused.map(({ code }) => code)).toEqual(['wrong_signature', 'wrong_version']);
});

test('a node writes its own stream and nobody else’s', async () => {
  const own = streamId('miner', miner.address);
  const first = commit({ stream: own, by: miner });
  await publish(commit({ stream: own, by: router }));
  await publish(first);
  await publish(commit({ stream: streamId('oracle', oracle.address), by: miner }));
  expect(hashes(await collect(store.readAll()))).toEqual(asStored(first));
  expect(refused.map(({ stream, code }) => [stream, code])).toEqual([
    [own, 'forbidden_author'],
    [streamId('oracle', oracle.address), 'forbidden_author'],
  ]);
});

test('an author nobody has heard of is looked up, and waited for while the chain is away', async () => {
  const own = streamId('oracle', oracle.address);
  const first = commit({ stream: own, by: oracle });
  const chain = Promise.withResolvers<undefined>();
  registry.chain = chain.promise;
  registry.add('oracle', oracle, registry.later);
  await publish(first);
  const seen: number[] = [];
  store.subscribe(1, ({ position }) => void seen.push(position));
  await eventually('the question', () => registry.asked > 0, patienceMs);
  await aMoment();
  expect({ seen, refused }).toEqual({ seen: [], refused: [] });
  chain.resolve(undefined);
  await eventually('the commit', () => seen.length === 1, patienceMs);
  expect((await store.head(own))?.hash).toBe(first.hash);
});

test('who registers late does not change the order of the log for those who read it before', async () => {
  const own = streamId('oracle', oracle.address);
  const early = commit({ stream: own, by: oracle });
  const first = commit({ events: [opened] });
  await publish(early);
  await store.append(first);
  const before = await collect(store.readAll());
  expect(before).toEqual([{ position: 2, commit: first, passed: [early.hash] }]);
  registry.add('oracle', oracle, registry.later);
  const after = await collect((await another()).readAll());
  expect(after.map(({ position, commit: { hash } }) => [position, hash])).toEqual([
    [1, early.hash],
    [2, first.hash],
  ]);
});

test('a commit of a newer format by who may write ends its stream for this version, and no other', async () => {
  const first = commit({ events: [opened] });
  const newer = { ...commit({ before: first }), v: commitFormat + 1 };
  const own = commit({ stream: streamId('miner', miner.address), by: miner });
  for (const one of [first, newer, own]) await publish(one);
  expect(hashes(await collect(store.readAll()))).toEqual(asStored(first, own));
  await expect(store.head(session)).rejects.toEqual(pouwError('log_newer_version'));
  expect(refused).toEqual([{ position: 2, code: 'newer_format', stream: session }]);
});

test('a writer keeps up with somebody who publishes into its stream all the time', async () => {
  let before = commit({ events: [opened] });
  await store.append(before);
  const over = new AbortController();
  const publishOn = async (): Promise<void> => {
    while (!over.signal.aborted) await publish(before, 'this is no commit');
  };
  const flood = Promise.all(Array.from({ length: 16 }, publishOn));
  for (let count = 0; count < 20; count += 1) {
    const next = commit({ before });
    const appended = await store.append(next).catch((error: unknown) => error);
    expect(appended).toMatchObject({ outcome: 'stored' });
    before = next;
  }
  const rival = commit({ events: [{ type: 'Noted', note: 'a rival' }] });
  expect(await store.append(rival)).toEqual({ outcome: 'conflict', version: 21 });
  over.abort();
  await flood;
  expect((await collect(store.read(session))).length).toBe(21);
  expect(refused.length).toBeGreaterThan(10);
});

test('a follower waits quietly behind what does not count', async () => {
  const first = commit({ events: [opened] });
  const seen: number[] = [];
  store.subscribe(1, ({ position }) => void seen.push(position));
  await publish(first);
  await publish(first, 'this is no commit');
  await eventually('the commit', () => seen.length === 1 && refused.length === 1, patienceMs);
  await aMoment();
  const { outMsgs } = connection.stats();
  await aMoment(500);
  expect(connection.stats().outMsgs - outMsgs).toBeLessThan(10);
});

test('a node that reads only its own stream goes on behind what lies there and is not its own', async () => {
  const own = streamId('miner', miner.address);
  const mine: LogRegistry = {
    get: (author) => (author === miner.address ? { roles: ['miner'], key: miner.signer.publicKey } : undefined),
    learn: async () => {},
  };
  const open = async (): Promise<NatsEventLog> => {
    const opening = { connection, root, reads: 'own', owner: miner.address, trust: { registry: mine } } as const;
    others.push(await openNatsEventStore(opening));
    return others.at(-1)!;
  };
  const first = commit({ stream: own, by: miner });
  const second = commit({ before: first, stream: own, by: miner });
  const third = commit({ before: second, stream: own, by: miner });
  const node = await open();
  await node.append(first);
  await publish(first, 'this is no commit');
  await publish({ ...second, sig: '0'.repeat(128) });
  expect(await node.append(second)).toEqual({ outcome: 'stored', position: 4 });
  await publish(commit({ before: second, stream: own, by: router }));
  const restarted = await open();
  expect(await restarted.head(own)).toEqual({ stream: own, version: 2, hash: second.hash, position: 4 });
  expect(await restarted.append(third)).toEqual({ outcome: 'stored', position: 6 });
  expect(hashes(await collect(restarted.read(own)))).toEqual(asStored(first, second, third));
  expect(hashes(await collect(restarted.read(own, { fromVersion: 2 })))).toEqual(asStored(second, third));
});
