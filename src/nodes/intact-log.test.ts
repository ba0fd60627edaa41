import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitChain, resealed, testStream } from '../../test/features/commits.ts';
import { type LocalStores, openLocalStores } from '../adapters/local/local-stores.ts';
import { type Commit, commitFormat } from '../core/commit.ts';
import type { EventStore } from '../ports/event-store.ts';
import { readIntact } from './intact-log.ts';
import { LogIndex } from './log-index.ts';

const stream = testStream(1);
const commits = commitChain(stream, 4);

let stores: LocalStores;
beforeEach(async () => {
  stores = openLocalStores({ path: ':memory:' });
  for (const commit of [...commits, ...commitChain(testStream(2), 2)]) await stores.events.append(commit);
});
afterEach(() => stores.close());

/** The store as somebody has left it who changed one of its commits behind its back. */
function changed(version: number, change: (commit: Commit) => Commit): EventStore {
  const { events } = stores;
  return {
    append: (commit) => events.append(commit),
    head: (of) => events.head(of),
    heads: () => events.heads(),
    read: (of, options) => events.read(of, options),
    subscribe: (from, handler) => events.subscribe(from, handler),
    close: () => events.close(),
    async *readAll(from) {
      for await (const { position, commit } of events.readAll(from)) {
        const isIt = commit.stream === stream && commit.version === version;
        yield { position, commit: isIt ? change(commit) : commit };
      }
    },
  };
}

async function versionsOf(store: EventStore): Promise<string[]> {
  const read: string[] = [];
  for await (const { commit } of readIntact(store)) read.push(`${commit.stream}@${commit.version}`);
  return read;
}

test('a log that nobody touched is read to its end', async () => {
  expect(await versionsOf(stores.events)).toHaveLength(6);
});

test('reading stops at a commit whose content was changed', async () => {
  const store = changed(2, (commit) => ({ ...commit, events: [{ type: 'Noted', note: 'event 9' }] }));
  await expect(versionsOf(store)).rejects.toMatchObject({ code: 'commit_damaged', details: { stream, version: 2 } });
});

test('reading stops after a commit that was sealed anew, at the one that does not follow it', async () => {
  const store = changed(2, (commit) => resealed(commit, { cause: 'forged' }));
  await expect(versionsOf(store)).rejects.toMatchObject({ code: 'log_broken_chain', details: { stream, version: 3 } });
});

test('reading stops at a commit that comes out of its turn', async () => {
  const store = changed(2, () => commits[3] as Commit);
  await expect(versionsOf(store)).rejects.toMatchObject({ code: 'log_broken_chain', details: { stream, version: 4 } });
});

test('a commit of a newer pouw is called that, not damaged', async () => {
  const store = changed(3, (commit) => ({ ...commit, v: commitFormat + 1 }));
  await expect(versionsOf(store)).rejects.toMatchObject({ code: 'log_newer_version' });
});

test('the index does not start on a damaged log', async () => {
  const store = changed(1, (commit) => ({ ...commit, at: commit.at + 1 }));
  await expect(new LogIndex().start(store)).rejects.toMatchObject({ code: 'commit_damaged' });
});
