import { afterEach, describe, expect, it, test } from 'vitest';
import { openLocalStores } from '../../../src/adapters/local/local-stores.ts';
import { systemRandom } from '../../../src/adapters/local/system-clock.ts';
import { signerFromSeed } from '../../../src/core/ed25519.ts';
import { streamId, toAddress } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import type { EventStore } from '../../../src/ports/event-store.ts';
import type { EffectHandler } from '../../../src/runtime/actor.ts';
import { Host } from '../../../src/runtime/host.ts';
import type { HostOptions } from '../../../src/runtime/host-options.ts';
import { notOwner } from '../../../src/runtime/refusals.ts';
import { VirtualClock } from '../../../src/sim/virtual-clock.ts';
import { collect } from '../event-store.harness.ts';
import { jarActor } from './jar-actor.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(7));
const author = toAddress(`0x${'11'.repeat(20)}`);
const stream = streamId('miner', 'jar');
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

interface World {
  readonly stores: ReturnType<typeof openLocalStores>;
  readonly clock: VirtualClock;
  readonly told: string[];
}

function world(): World {
  const stores = openLocalStores({ path: ':memory:' });
  open.push({ stop: () => stores.close() });
  return { stores, clock: new VirtualClock({ startMs: 1_000, settle: turn }), told: [] };
}

function hostOf({ stores, clock, told }: World, options: Partial<HostOptions> = {}): Host {
  const tell: EffectHandler = async (_, { id }) => void told.push(id);
  const host = new Host({
    author,
    signer,
    store: stores.events,
    snapshots: stores.snapshots,
    journal: stores.journal,
    clock,
    random: systemRandom,
    actors: [jarActor],
    handlers: { tell },
    ...options,
  });
  open.unshift({ stop: () => host.stop(0) });
  return host;
}

const put = (host: Host, count = 1): Promise<unknown> => host.dispatch(jarActor, stream, { type: 'Put', count }, 'c');

/** A store whose appends end without an answer: `stored` says whether the commit got there all the same. */
function withoutAnswer(store: EventStore, stored: boolean[]): EventStore {
  return {
    ...store,
    read: (...args) => store.read(...args),
    head: (of) => store.head(of),
    append: async (commit) => {
      const isStored = stored.shift();
      if (isStored === undefined) return store.append(commit);
      if (isStored) await store.append(commit);
      throw new Error('the answer was lost');
    },
  };
}

describe('a host that owns a stream by a lease', () => {
  it('writes the fence into every commit', async () => {
    const all = world();
    let fence: number | null = 4;
    const host = hostOf(all, { fenceOf: () => fence });
    await put(host);
    fence = 9;
    await put(host);
    fence = null;
    await host.dispatch(jarActor, streamId('miner', 'other'), { type: 'Put', count: 1 }, 'c');
    const commits = await collect(all.stores.events.readAll());
    expect(commits.map(({ commit }) => commit.fence)).toEqual([4, 9, undefined]);
  });

  it('writes nothing once it has lost the lease', async () => {
    const all = world();
    let isOwner = true;
    const host = hostOf(all, {
      fenceOf: (of) => {
        if (!isOwner) throw notOwner(of);
        return 1;
      },
    });
    await put(host);
    isOwner = false;
    await expect(put(host)).rejects.toMatchObject({ code: 'not_owner', class: 'unavailable' });
    expect((await all.stores.events.head(stream))?.version).toBe(1);
  });

  it('writes nothing under a fence that the stream has left behind, in memory, after a load and after a snapshot', async () => {
    const all = world();
    const late = hostOf(all, { fenceOf: () => 5 });
    await put(late);
    const next = hostOf(all, { fenceOf: () => 6 });
    await put(next);
    await next.idle();
    // It still believes that it owns the stream; the conflict shows it the new owner's fence.
    await expect(put(late)).rejects.toMatchObject({ code: 'not_owner' });
    await expect(put(hostOf(all, { fenceOf: () => 5 }))).rejects.toMatchObject({ code: 'not_owner' });
    await next.stop(0);
    expect((await all.stores.snapshots.load(stream))?.version).toBe(2);
    await expect(put(hostOf(all, { fenceOf: () => 5 }))).rejects.toMatchObject({ code: 'not_owner' });
    await put(hostOf(all, { fenceOf: () => 6 }));
    expect((await all.stores.events.head(stream))?.version).toBe(3);
  });

  it('lets go of a stream: neither its effects nor its timers run here any more', async () => {
    const all = world();
    const tell: EffectHandler = async () => {
      all.told.push('try');
      throw new Error('not yet');
    };
    const host = hostOf(all, { handlers: { tell }, effectBackoffMs: 100 });
    await put(host);
    await host.dispatch(jarActor, stream, { type: 'SetAlarm', at: 5_000 }, 'c');
    await host.idle();
    await host.release([stream]);
    await all.clock.advance(60_000);
    expect(all.told).toEqual(['try']);
    expect((await all.stores.events.head(stream))?.version).toBe(2);
    expect((await all.stores.journal.done(stream)).watermark).toBe(0);
  });

  it('takes a stream up again with all that is undone', async () => {
    const all = world();
    const stuck: EffectHandler = () => Promise.reject(new Error('not yet'));
    const first = hostOf(all, { handlers: { tell: stuck }, effectBackoffMs: 100 });
    await put(first);
    await put(first);
    await first.idle();
    await first.release([stream]);
    const next = hostOf(all);
    await next.wake([stream]);
    await next.idle();
    expect(all.told.toSorted()).toEqual([`${stream}:1:0`, `${stream}:2:0`]);
  });
});

test('a stream that others write to each time is given up after some tries', async () => {
  const all = world();
  const { events } = all.stores;
  let tries = 0;
  const store: EventStore = {
    ...withoutAnswer(events, []),
    append: async () => {
      tries += 1;
      return { outcome: 'conflict', version: 0 };
    },
  };
  await expect(put(hostOf(all, { store }))).rejects.toMatchObject({ code: 'too_many_conflicts', class: 'conflict' });
  expect(tries).toBe(limits.conflictRetriesMax + 1);
});

describe('an append that ends without an answer', () => {
  it('is looked up before the next decision: stored, it counts, and its effects run', async () => {
    const all = world();
    const host = hostOf(all, { store: withoutAnswer(all.stores.events, [true]) });
    await expect(put(host, 3)).rejects.toThrow('the answer was lost');
    await put(host, 4);
    await host.idle();
    expect((await host.state(jarActor, stream)).state.context.coins).toBe(7);
    expect(all.told.toSorted()).toEqual([`${stream}:1:0`, `${stream}:2:0`]);
  });

  it('stored, it counts for a command that only what it stored makes possible, and for one that changes nothing', async () => {
    const all = world();
    const host = hostOf(all, { store: withoutAnswer(all.stores.events, [true]) });
    await expect(put(host, 3)).rejects.toThrow('the answer was lost');
    // Decided on what is in memory it would change nothing, and nobody would look.
    expect(await host.dispatch(jarActor, stream, { type: 'Put', count: 0 }, 'c')).toMatchObject({ version: 1 });
    await host.idle();
    expect(all.told).toEqual([`${stream}:1:0`]);

    const other = world();
    const rival = hostOf(other, { store: withoutAnswer(other.stores.events, [true]) });
    await expect(put(rival, 3)).rejects.toThrow('the answer was lost');
    const taken = await rival.dispatch(jarActor, stream, { type: 'Take', count: 3 }, 'c');
    expect(taken).toMatchObject({ ok: true, version: 2, state: { context: { coins: 0 } } });
  });

  it('not stored, it never was', async () => {
    const all = world();
    const host = hostOf(all, { store: withoutAnswer(all.stores.events, [false]) });
    await expect(put(host, 3)).rejects.toThrow('the answer was lost');
    await put(host, 4);
    await host.idle();
    expect((await host.state(jarActor, stream)).state.context.coins).toBe(4);
    expect(all.told).toEqual([`${stream}:1:0`]);
  });
});
