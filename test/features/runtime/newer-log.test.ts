import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocalStores, openLocalStores } from '../../../src/adapters/local/local-stores.ts';
import { systemRandom } from '../../../src/adapters/local/system-clock.ts';
import { type Commit, commitFormat, type Event, genesisHash, sealCommit } from '../../../src/core/commit.ts';
import { signerFromSeed } from '../../../src/core/ed25519.ts';
import { streamId, toAddress } from '../../../src/core/ids.ts';
import type { EventStore } from '../../../src/ports/event-store.ts';
import { Host } from '../../../src/runtime/host.ts';
import { VirtualClock } from '../../../src/sim/virtual-clock.ts';
import { jarActor } from './jar-actor.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(7));
const author = toAddress(`0x${'11'.repeat(20)}`);
const stream = streamId('miner', 'jar');
const put = { type: 'Put', count: 1 } as const;

let stores: LocalStores;
let host: Host | undefined;
beforeEach(() => {
  stores = openLocalStores({ path: ':memory:' });
});
afterEach(async () => {
  await host?.stop(0);
  await stores.close();
});

function hostOn(store: EventStore): Host {
  host = new Host({
    author,
    signer,
    store,
    snapshots: stores.snapshots,
    journal: stores.journal,
    clock: new VirtualClock({ startMs: 1_000, settle: () => Promise.resolve() }),
    random: systemRandom,
    actors: [jarActor],
    handlers: { tell: async () => undefined },
  });
  return host;
}

/** A jar's history, as somebody with the right key may have written it. */
async function write(...events: Event[]): Promise<void> {
  let prev = genesisHash;
  for (const [index, event] of events.entries()) {
    const commit = sealCommit(
      { stream, version: index + 1, at: 1, author, cause: 'test', events: [event], prev },
      signer,
    );
    await stores.events.append(commit);
    prev = commit.hash;
  }
}

async function expectRefused(store: EventStore): Promise<void> {
  const running = hostOn(store);
  const before = await stores.events.head(stream);
  await expect(running.state(jarActor, stream)).rejects.toMatchObject({ code: 'log_newer_version' });
  await expect(running.dispatch(jarActor, stream, put, 'test')).rejects.toMatchObject({ code: 'log_newer_version' });
  expect(await stores.events.head(stream)).toEqual(before);
}

describe('a stream that a newer pouw has written is not loaded, and nothing is added to it:', () => {
  it('one with a commit of a newer format, whichever store it comes from', async () => {
    await write({ type: 'CoinsPut', count: 2 }, { type: 'CoinsTaken', count: 1 });
    const newer = (commit: Commit): Commit => (commit.version === 2 ? { ...commit, v: commitFormat + 1 } : commit);
    await expectRefused({
      ...stores.events,
      head: (of) => stores.events.head(of),
      append: (commit) => stores.events.append(commit),
      async *read(of, options) {
        for await (const stored of stores.events.read(of, options)) yield { ...stored, commit: newer(stored.commit) };
      },
    });
  });

  it('one with an event that this pouw does not know', async () => {
    await write({ type: 'CoinsPut', count: 2 }, { type: 'CoinsCounted', count: 2 });
    await expectRefused(stores.events);
  });

  it('while one of today is', async () => {
    await write({ type: 'CoinsPut', count: 2 }, { type: 'CoinsTaken', count: 1 });
    expect((await hostOn(stores.events).state(jarActor, stream)).state.context.coins).toBe(1);
  });
});
