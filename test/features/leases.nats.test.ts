import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { Bucket } from '../../src/adapters/nats/kv/bucket.ts';
import { openNatsLeases } from '../../src/adapters/nats/kv/leases.ts';
import { natsNames } from '../../src/adapters/nats/store/names.ts';
import { present } from '../../src/core/assert.ts';
import { limits } from '../../src/core/limits.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { aMoment } from './feature.ts';
import { leasesFeatures, type LeasesHarness } from './leases.features.ts';

const nats = sharedNatsServer();
const startMs = 1_700_000_000_000;
const ttlMs = 1_000;
let networks = 0;

/** A root of its own, and how to open things on it as a process with its own clock would. */
async function network() {
  networks += 1;
  const root = `leases${networks}.v1`;
  const closers: (() => unknown)[] = [];
  const join = async (clockMs = startMs) => {
    const clock = new VirtualClock({ startMs: clockMs });
    const connection = await connect({ servers: (await nats()).url });
    const leases = await openNatsLeases({ connection, root, clock });
    closers.push(() => connection.close());
    return { clock, leases, connection, root };
  };
  return { join, close: () => Promise.all(closers.map((close) => close())) };
}

leasesFeatures('NATS', async (): Promise<LeasesHarness> => {
  const { join, close } = await network();
  const { clock, leases, connection, root } = await join();
  return {
    leases,
    pass: (ms) => clock.advance(ms),
    reopen: () => openNatsLeases({ connection, root, clock }),
    close: async () => void (await close()),
  };
});

test('gives a lease to exactly one of many processes, and never two the same fence', async () => {
  const { join, close } = await network();
  const members = await Promise.all([join(), join(), join(), join()]);
  const fences: number[] = [];
  for (let round = 0; round < 10; round++) {
    const asked = await Promise.all(members.map(({ leases }, index) => leases.acquire('one', `owner ${index}`, ttlMs)));
    const granted = asked.filter((lease) => lease !== undefined);
    expect(granted).toHaveLength(1);
    fences.push(granted[0]!.fence);
    for (const { leases } of members) expect((await leases.holder('one'))?.owner).toBe(granted[0]?.owner);
    await Promise.all(members.map(({ clock }) => clock.advance(ttlMs + 1)));
  }
  expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
  await close();
});

test('waits the whole time of a lease, however wrong the clock of its holder is', async () => {
  const { join, close } = await network();
  const day = 86_400_000;
  for (const wrongMs of [-day, day]) {
    const holder = await join(startMs + wrongMs);
    const other = await join();
    const name = `clock ${wrongMs}`;
    const lease = present(await holder.leases.acquire(name, 'a', ttlMs), 'the lease');
    expect(await other.leases.acquire(name, 'b', ttlMs)).toBeUndefined();
    await other.clock.advance(ttlMs - 1);
    expect(await other.leases.acquire(name, 'b', ttlMs)).toBeUndefined();
    // The holder renews in time by its own clock; the other one begins to count again.
    await holder.clock.advance(ttlMs - 1);
    const renewed = present(await holder.leases.renew(lease, ttlMs), 'the renewed lease');
    expect(renewed.fence).toBe(lease.fence);
    await other.clock.advance(ttlMs - 1);
    expect(await other.leases.acquire(name, 'b', ttlMs)).toBeUndefined();
    await other.clock.advance(ttlMs + 1);
    expect((await other.leases.acquire(name, 'b', ttlMs))?.fence).toBeGreaterThan(lease.fence);
    expect(await holder.leases.renew(renewed, ttlMs)).toBeUndefined();
    await holder.leases.release(renewed);
    expect((await other.leases.holder(name))?.owner).toBe('b');
  }
  await close();
});

test('a holder that came too late does not renew what it may have lost', async () => {
  const { join, close } = await network();
  const [holder, other] = [await join(), await join()];
  const lease = present(await holder.leases.acquire('one', 'a', ttlMs), 'the lease');
  await holder.clock.advance(ttlMs + 1);
  expect(await holder.leases.renew(lease, ttlMs)).toBeUndefined();
  expect(await other.leases.renew(lease, ttlMs)).toMatchObject({ owner: 'a', fence: lease.fence });
  await close();
});

test('a bucket that was lost and made again gives higher fences than the one before', async () => {
  const { join, close } = await network();
  const { leases, connection, root, clock } = await join();
  const fences: number[] = [];
  for (let times = 0; times < 5; times++) {
    fences.push(present(await leases.acquire('one', 'a', ttlMs), 'the lease').fence);
    await clock.advance(ttlMs + 1);
  }
  const manager = await jetstreamManager(connection);
  await manager.streams.delete(`KV_${natsNames(root).bucket('lease')}`);
  // A server's clock says when it was made, in seconds.
  await aMoment(1_100);
  (await Bucket.open('lease', { connection, root })).close();
  const lease = present(await leases.acquire('one', 'a', ttlMs), 'the lease');
  expect(lease.fence).toBeGreaterThan(Math.max(...fences));
  expect(await leases.renew(lease, ttlMs)).toMatchObject({ fence: lease.fence });
  expect(await leases.holder('one')).toMatchObject({ fence: lease.fence });
  await leases.release(lease);
  expect(await leases.holder('one')).toBeUndefined();
  await close();
});

test('an entry that is no lease is free to be taken', async () => {
  const { join, close } = await network();
  const { leases, connection, root } = await join();
  const bucket = await Bucket.open('lease', { connection, root });
  for (const text of ['nonsense', '{}', '{"owner":"a","ttlMs":-1}', '']) {
    await bucket.put('odd', text);
    const lease = await leases.acquire('odd', 'b', ttlMs);
    expect(lease).toMatchObject({ owner: 'b' });
    await leases.release(present(lease, 'the lease'));
  }
  await close();
});

test('an entry that says more time than a lease may last is free to be taken, one that says as much is held', async () => {
  const { join, close } = await network();
  const { leases, connection, root, clock } = await join();
  const bucket = await Bucket.open('lease', { connection, root });
  const put = (ms: number): Promise<number> => bucket.put('long', JSON.stringify({ owner: 'a', ttlMs: ms }));
  for (const ms of [9e15, limits.leaseMsMax + 1]) {
    await put(ms);
    expect(await leases.holder('long')).toBeUndefined();
    // Who comes later does not wait for it either.
    const late = await openNatsLeases({ connection, root, clock });
    expect(await late.holder('long')).toBeUndefined();
    const lease = await late.acquire('long', 'b', ttlMs);
    expect(lease).toMatchObject({ owner: 'b' });
    await late.release(present(lease, 'the lease'));
  }
  await put(limits.leaseMsMax);
  expect(await leases.acquire('long', 'b', ttlMs)).toBeUndefined();
  await clock.advance(limits.leaseMsMax);
  expect(await leases.acquire('long', 'b', ttlMs)).toMatchObject({ owner: 'b' });
  await close();
});

test('names of any characters are told apart', async () => {
  const { join, close } = await network();
  const { leases } = await join();
  for (const name of ['a b', 'a.b', 'a/b', 'a*', 'ä']) {
    expect(await leases.acquire(name, name, ttlMs)).toMatchObject({ name, owner: name });
  }
  for (const name of ['a b', 'a.b', 'a/b', 'a*', 'ä']) expect((await leases.holder(name))?.owner).toBe(name);
  await close();
});

test('waits anew for a lease that it has forgotten to have seen, and takes none too early', async () => {
  const { join, close } = await network();
  const holder = await join();
  for (const name of ['one', 'two', 'three']) await holder.leases.acquire(name, 'a', ttlMs);
  const { connection, root } = holder;
  const clock = new VirtualClock({ startMs });
  const forgetful = await openNatsLeases({ connection, root, clock, seenMax: 2 });
  await clock.advance(ttlMs + 1);
  expect(await forgetful.acquire('three', 'b', ttlMs)).toMatchObject({ owner: 'b' });
  expect(await forgetful.acquire('one', 'b', ttlMs)).toBeUndefined();
  await clock.advance(ttlMs + 1);
  expect(await forgetful.acquire('one', 'b', ttlMs)).toMatchObject({ owner: 'b' });
  await close();
});
