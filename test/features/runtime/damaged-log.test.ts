import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LocalStores, openLocalStores } from '../../../src/adapters/local/local-stores.ts';
import { systemRandom } from '../../../src/adapters/local/system-clock.ts';
import { type Commit, genesisHash, sealCommit } from '../../../src/core/commit.ts';
import { signerFromSeed } from '../../../src/core/ed25519.ts';
import { streamId, toAddress } from '../../../src/core/ids.ts';
import { Host } from '../../../src/runtime/host.ts';
import { VirtualClock } from '../../../src/sim/virtual-clock.ts';
import { jarActor } from './jar-actor.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(7));
const author = toAddress(`0x${'11'.repeat(20)}`);
const stream = streamId('miner', 'jar');

let stores: LocalStores;
let host: Host | undefined;
beforeEach(() => {
  stores = openLocalStores({ path: ':memory:' });
});
afterEach(async () => {
  await host?.stop(0);
  await stores.close();
});

function hostOn(): Host {
  host = new Host({
    author,
    signer,
    store: stores.events,
    snapshots: stores.snapshots,
    journal: stores.journal,
    clock: new VirtualClock({ startMs: 1_000, settle: () => Promise.resolve() }),
    random: systemRandom,
    actors: [jarActor],
    handlers: { tell: async () => undefined },
  });
  return host;
}

/** Two coins put and one taken; `change` is what happened to the first commit after it was sealed. */
async function write(change: (commit: Commit) => Commit): Promise<void> {
  const draft = { stream, at: 1, author, cause: 'test' };
  const first = sealCommit(
    { ...draft, version: 1, events: [{ type: 'CoinsPut', count: 2 }], prev: genesisHash },
    signer,
  );
  const second = sealCommit(
    { ...draft, version: 2, events: [{ type: 'CoinsTaken', count: 1 }], prev: first.hash },
    signer,
  );
  await stores.events.append(change(first));
  await stores.events.append(second);
}

it('a stream with a commit that is not what its hash says is not loaded, and nothing is added to it', async () => {
  await write((commit) => ({ ...commit, events: [{ type: 'CoinsPut', count: 9 }] }));
  const running = hostOn();
  const before = await stores.events.head(stream);
  const damaged = { code: 'commit_damaged', class: 'corrupt', details: { stream, version: 1 } };
  await expect(running.state(jarActor, stream)).rejects.toMatchObject(damaged);
  await expect(running.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'test')).rejects.toMatchObject(damaged);
  expect(await stores.events.head(stream)).toEqual(before);
});

it('while one that is sound is', async () => {
  await write((commit) => commit);
  expect((await hostOn().state(jarActor, stream)).state.context.coins).toBe(1);
});
