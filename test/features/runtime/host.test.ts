import { afterEach, describe, expect, it } from 'vitest';
import { openLocalStores } from '../../../src/adapters/local/local-stores.ts';
import { systemRandom } from '../../../src/adapters/local/system-clock.ts';
import { type Commit, sealCommit } from '../../../src/core/commit.ts';
import { signerFromSeed } from '../../../src/core/ed25519.ts';
import { hashJson } from '../../../src/core/hash.ts';
import { streamId, toAddress } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import type { EffectHandler } from '../../../src/runtime/actor.ts';
import { Host } from '../../../src/runtime/host.ts';
import type { HostOptions } from '../../../src/runtime/host-options.ts';
import { NotYet } from '../../../src/runtime/not-yet.ts';
import { VirtualClock } from '../../../src/sim/virtual-clock.ts';
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
  readonly commits: Commit[];
}

function world(): World {
  const stores = openLocalStores({ path: ':memory:' });
  open.push({ stop: () => stores.close() });
  return { stores, clock: new VirtualClock({ startMs: 1_000, settle: turn }), told: [], commits: [] };
}

function hostOf({ stores, clock, told, commits }: World, options: Partial<HostOptions> = {}): Host {
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
    onCommit: (commit) => void commits.push(commit),
    ...options,
  });
  open.unshift({ stop: () => host.stop(0) });
  return host;
}

describe('Host', () => {
  it('appends what a command leads to, chained and signed, and folds it', async () => {
    const all = world();
    const host = hostOf(all);
    await host.dispatch(jarActor, stream, { type: 'Put', count: 2 }, 'request:1');
    const result = await host.dispatch(jarActor, stream, { type: 'Put', count: 3 }, 'request:2');
    expect(result).toMatchObject({ ok: true, version: 2, state: { value: 'filled', context: { coins: 5 } } });
    expect(all.commits.map((commit) => [commit.version, commit.cause])).toEqual([
      [1, 'request:1'],
      [2, 'request:2'],
    ]);
    expect(all.commits[1]?.prev).toBe(all.commits[0]?.hash);
  });

  it('writes nothing for a command that changes nothing, and nothing for a refused one', async () => {
    const all = world();
    const host = hostOf(all);
    expect(await host.dispatch(jarActor, stream, { type: 'Put', count: 0 }, 'c')).toMatchObject({
      ok: true,
      version: 0,
      events: [],
    });
    expect(await host.dispatch(jarActor, stream, { type: 'Take', count: 1 }, 'c')).toMatchObject({
      ok: false,
      rejection: { code: 'jar_short' },
    });
    expect(await all.stores.events.head(stream)).toBeUndefined();
  });

  it('refuses an event the machine does not take, and keeps the log clean', async () => {
    const all = world();
    const host = hostOf(all);
    expect(await host.dispatch(jarActor, stream, { type: 'Break' }, 'c')).toMatchObject({
      ok: false,
      rejection: { code: 'event_out_of_step' },
    });
    expect(await all.stores.events.head(stream)).toBeUndefined();
  });

  it('carries commands to one stream out one after the other', async () => {
    const host = hostOf(world());
    await host.dispatch(jarActor, stream, { type: 'Put', count: 50 }, 'c');
    const results = await Promise.all(
      Array.from({ length: 60 }, () => host.dispatch(jarActor, stream, { type: 'Take', count: 1 }, 'c')),
    );
    expect(results.filter((result) => result.ok)).toHaveLength(50);
    expect((await host.state(jarActor, stream)).state.context.coins).toBe(0);
  });

  it('refuses a command beyond the mailbox bound', async () => {
    const host = hostOf(world());
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    const many = Array.from({ length: limits.actorMailboxMax + 1 }, () =>
      host.dispatch(jarActor, stream, { type: 'Put', count: 0 }, 'c'),
    );
    const results = await Promise.allSettled(many);
    expect(results.filter((result) => result.status === 'rejected')).toHaveLength(1);
    expect(results.at(-1)).toMatchObject({ reason: { code: 'actor_busy' } });
  });

  it('decides again when a rival has written', async () => {
    const all = world();
    const host = hostOf(all);
    await host.dispatch(jarActor, stream, { type: 'Put', count: 5 }, 'mine');
    const prev = all.commits[0]?.hash ?? '';
    await all.stores.events.append(
      sealCommit(
        { stream, version: 2, at: 1, author, cause: 'rival', events: [{ type: 'CoinsTaken', count: 4 }], prev },
        signer,
      ),
    );
    expect(await host.dispatch(jarActor, stream, { type: 'Take', count: 4 }, 'late')).toMatchObject({
      ok: false,
      rejection: { code: 'jar_short' },
    });
    expect(await host.dispatch(jarActor, stream, { type: 'Take', count: 1 }, 'small')).toMatchObject({
      ok: true,
      version: 3,
    });
  });

  it('comes back to the same state from the log alone, and from a snapshot and the tail', async () => {
    const all = world();
    const first = hostOf(all, { snapshotEvery: 10 });
    for (let count = 1; count <= 25; count += 1) await first.dispatch(jarActor, stream, { type: 'Put', count }, 'c');
    await first.idle();
    const live = hashJson((await first.state(jarActor, stream)).state);
    await first.stop(0);
    expect((await all.stores.snapshots.load(stream))?.version).toBe(25);
    expect(hashJson((await hostOf(all).state(jarActor, stream)).state)).toBe(live);
    const noSnapshots = { load: async () => undefined, save: async () => undefined };
    expect(hashJson((await hostOf(all, { snapshots: noSnapshots }).state(jarActor, stream)).state)).toBe(live);
  });

  it('throws away a snapshot of another machine version, another history or another state', async () => {
    const all = world();
    const host = hostOf(all);
    await host.dispatch(jarActor, stream, { type: 'Put', count: 3 }, 'c');
    await host.idle();
    const good = { stream, version: 1, commitHash: all.commits[0]?.hash ?? '', machineVersion: 1 };
    const lie = { value: 'filled', context: { coins: 99, alarmAt: null, rung: 0 } };
    for (const wrong of [
      { machineVersion: 2 },
      { commitHash: 'f'.repeat(64) },
      { stateHash: 'f'.repeat(64) },
      { version: 7 },
    ]) {
      await all.stores.snapshots.save({ ...good, stateHash: hashJson(lie), state: lie, ...wrong });
      expect((await hostOf(all).state(jarActor, stream)).state.context.coins).toBe(3);
    }
  });

  it('keeps at most the given number of actors and loads the others again', async () => {
    const all = world();
    const host = hostOf(all, { actorsMax: 3 });
    for (let jar = 0; jar < 10; jar += 1) {
      await host.dispatch(jarActor, streamId('miner', `jar${jar}`), { type: 'Put', count: jar + 1 }, 'c');
      await host.idle();
      await turn();
    }
    expect(host.load().actors).toBeLessThanOrEqual(4);
    expect((await host.state(jarActor, streamId('miner', 'jar0'))).state.context.coins).toBe(1);
  });
});

describe('Effects', () => {
  it('run after their commit is stored, under ids that follow from it', async () => {
    const all = world();
    const host = hostOf(all);
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await host.idle();
    expect(all.told).toEqual([`${stream}:1:0`, `${stream}:2:0`]);
  });

  it('are tried again under the same id until they succeed', async () => {
    const all = world();
    const tries: string[] = [];
    const failures: number[] = [];
    const tell: EffectHandler = async (_, { id }) => {
      tries.push(id);
      if (tries.length < 3) throw new Error('not yet');
    };
    const host = hostOf(all, {
      handlers: { tell },
      effectBackoffMs: 100,
      onFailure: ({ retryInMs }) => void failures.push(retryInMs),
    });
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await host.idle();
    await all.clock.advance(1_000);
    expect(tries).toEqual([`${stream}:1:0`, `${stream}:1:0`, `${stream}:1:0`]);
    expect(failures).toEqual([100, 200]);
  });

  it('that have to wait are tried again alike, and are no failures', async () => {
    const all = world();
    const failures: unknown[] = [];
    let tries = 0;
    const tell: EffectHandler = async () => {
      tries += 1;
      if (tries < 3) throw new NotYet('nobody_came', 'Nobody has come yet.');
    };
    const host = hostOf(all, {
      handlers: { tell },
      effectBackoffMs: 100,
      onFailure: (failure) => failures.push(failure),
    });
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await host.idle();
    await all.clock.advance(299);
    expect(tries).toBe(2);
    await all.clock.advance(1);
    expect({ tries, failures }).toEqual({ tries: 3, failures: [] });
  });

  it('that were not done run again after a restart, those that were do not', async () => {
    const all = world();
    let stuck = true;
    const tell: EffectHandler = async (_, { id, signal }) => {
      if (id.endsWith(':2:0') && stuck)
        await new Promise((_resolve, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error)));
      all.told.push(id);
    };
    const first = hostOf(all, { handlers: { tell } });
    for (let count = 0; count < 3; count += 1) await first.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await turn();
    expect(all.told).toEqual([`${stream}:1:0`, `${stream}:3:0`]);
    await first.stop(0);
    stuck = false;
    expect(await all.stores.journal.unfinished()).toContain(stream);
    const second = hostOf(all, { handlers: { tell } });
    await second.wake([stream]);
    await second.idle();
    expect(all.told).toEqual([`${stream}:1:0`, `${stream}:3:0`, `${stream}:2:0`]);
    expect((await all.stores.journal.done(stream)).watermark).toBe(3);
  });

  it('count as open until the journal has them: a journal that fails loses none', async () => {
    const all = world();
    let failures = 1;
    const { journal } = all.stores;
    const failing: HostOptions['journal'] = {
      done: (of) => journal.done(of),
      unfinished: () => journal.unfinished(),
      markDone: (id) => journal.markDone(id),
      advance: async (of, version) => {
        failures -= 1;
        if (failures >= 0) throw new Error('the disk is full');
        await journal.advance(of, version);
      },
    };
    const host = hostOf(all, { journal: failing, effectBackoffMs: 100, onFailure: () => {} });
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await host.idle();
    expect((await journal.done(stream)).watermark).toBe(0);
    await all.clock.advance(1_000);
    expect(all.told).toEqual([`${stream}:1:0`, `${stream}:1:0`]);
    expect((await journal.done(stream)).watermark).toBe(1);
  });

  it('keep to the concurrency bound', async () => {
    let running = 0;
    let most = 0;
    const tell: EffectHandler = async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    };
    const host = hostOf(world(), { handlers: { tell }, effectConcurrency: 3 });
    await Promise.all(
      Array.from({ length: 12 }, (_, jar) =>
        host.dispatch(jarActor, streamId('miner', `jar${jar}`), { type: 'Put', count: 1 }, 'c'),
      ),
    );
    await host.idle();
    expect(most).toBe(3);
  });
});

describe('Timers', () => {
  it('fire once when they are due', async () => {
    const all = world();
    const host = hostOf(all);
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await host.dispatch(jarActor, stream, { type: 'SetAlarm', at: 5_000 }, 'c');
    await all.clock.advance(3_000);
    expect((await host.state(jarActor, stream)).state.context.rung).toBe(0);
    await all.clock.advance(10_000);
    expect((await host.state(jarActor, stream)).state.context.rung).toBe(1);
  });

  it('that fell due while the process was dead fire after the restart', async () => {
    const all = world();
    const first = hostOf(all);
    await first.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c');
    await first.dispatch(jarActor, stream, { type: 'SetAlarm', at: 5_000 }, 'c');
    await first.stop(0);
    await all.clock.advance(60_000);
    const second = hostOf(all);
    await second.wake([stream]);
    await all.clock.advance(10);
    expect((await second.state(jarActor, stream)).state.context.rung).toBe(1);
  });

  it('leaves no alarm behind where a command comes as it stops', async () => {
    const all = world();
    const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
    const { events } = all.stores;
    const append = async (commit: Commit) => {
      if (commit.version > 1) await held;
      return events.append(commit);
    };
    const store = { ...events, read: events.read.bind(events), head: events.head.bind(events), append };
    const host = hostOf(all, { store });
    await host.dispatch(jarActor, stream, { type: 'Put', count: 1 }, 'c1');
    const set = host.dispatch(jarActor, stream, { type: 'SetAlarm', at: 60_000 }, 'c2');
    await turn();
    const stopped = host.stop(0);
    release(undefined);
    await Promise.all([set, stopped]);
    expect(all.clock.nextAt()).toBeUndefined();
  });
});
