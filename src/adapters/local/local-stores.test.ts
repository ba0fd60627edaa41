import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { effectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { commitAfter, resealed, testStream } from '../../../test/features/commits.ts';
import { pouwError } from '../../../test/features/pouw-error.ts';
import { type ScratchDirectory, scratchDirectory } from '../../../test/features/scratch-directory.ts';
import { createLocalLeases, fenceCursor } from './local-leases.ts';
import { type LocalStores, openLocalStores } from './local-stores.ts';

const stream = testStream(1);

let directory: ScratchDirectory;
let path: string;
beforeEach(() => {
  directory = scratchDirectory();
  path = directory.file('log.sqlite');
});
afterEach(() => directory.remove());

/** What another process, and a crash, would find of the marks. */
function durableMarks(): number {
  const reader = new DatabaseSync(path, { readOnly: true });
  const row = reader.prepare('SELECT count(*) AS marks FROM effects_done').get();
  reader.close();
  return Number(row?.marks);
}

describe('writes that may lag', () => {
  test('become durable after a while by themselves', async () => {
    const clock = new VirtualClock();
    const stores = openLocalStores({ path, clock });
    await stores.journal.markDone(effectId(stream, 1, 0));
    expect(durableMarks()).toBe(0);
    await clock.advance(limits.storeLagMsMax - 1);
    expect(durableMarks()).toBe(0);
    await clock.advance(1);
    expect(durableMarks()).toBe(1);
    await stores.close();
  });

  test('become durable with the next commit, which leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const stores = openLocalStores({ path, clock });
    await stores.journal.markDone(effectId(stream, 1, 0));
    await stores.events.append(commitAfter(undefined, stream));
    expect(durableMarks()).toBe(1);
    expect(clock.nextAt()).toBeUndefined();
    await stores.close();
  });

  test('become durable by a flush and by a close', async () => {
    const stores = openLocalStores({ path });
    await stores.journal.markDone(effectId(stream, 1, 0));
    await stores.flush();
    expect(durableMarks()).toBe(1);
    await stores.journal.markDone(effectId(stream, 1, 1));
    await stores.close();
    expect(durableMarks()).toBe(2);
  });

  test('are lost in a crash, and only they', () => {
    const module = JSON.stringify(join(import.meta.dirname, 'local-stores.ts'));
    const commit = JSON.stringify(commitAfter(undefined, stream));
    const script = `
      const { openLocalStores } = await import(${module});
      const { events, journal } = openLocalStores({ path: ${JSON.stringify(path)} });
      await journal.markDone('${effectId(stream, 1, 0)}');
      await events.append(${commit});
      await journal.markDone('${effectId(stream, 1, 1)}');
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(child.signal).toBe('SIGKILL');
    expect(durableMarks()).toBe(1);
  });

  test('are refused when they cannot be written, and may then be made again', async () => {
    const errors: unknown[] = [];
    const clock = new VirtualClock();
    const stores = openLocalStores({ path, clock, onError: (error) => void errors.push(error) });
    const foreign = new DatabaseSync(path);
    foreign.exec('BEGIN IMMEDIATE');
    await expect(stores.journal.markDone(effectId(stream, 1, 0))).rejects.toMatchObject({ code: 'data_dir_in_use' });
    foreign.exec('ROLLBACK');
    foreign.close();
    await stores.journal.markDone(effectId(stream, 1, 0));
    expect((await stores.journal.done(stream)).ids.size).toBe(1);
    await stores.close();
    expect(errors).toEqual([]);
  });
});

describe('a write that fails', () => {
  /** Stores of which a write has just failed, because somebody else writes until `free`. */
  async function failing(): Promise<{ clock: VirtualClock; stores: LocalStores; free: () => void }> {
    const clock = new VirtualClock({ settle: () => new Promise(setImmediate) });
    const stores = openLocalStores({ path, clock });
    expect(stores.failure()).toBeUndefined();
    const foreign = new DatabaseSync(path);
    foreign.exec('BEGIN IMMEDIATE');
    const written = stores.events.append(commitAfter(undefined, stream));
    await expect(written).rejects.toMatchObject({ code: 'data_dir_in_use' });
    return { clock, stores, free: () => foreign.close() };
  }

  test('is remembered until another one succeeds', async () => {
    const { clock, stores, free } = await failing();
    expect(stores.failure()).toMatchObject({ code: 'data_dir_in_use' });
    expect(() => stores.requireWritten()).toThrow(pouwError('data_dir_in_use'));
    free();
    // Changes nothing, and so writes nothing.
    const gap = { ...commitAfter(undefined, stream), version: 2 };
    expect(await stores.events.append(gap)).toMatchObject({ outcome: 'conflict' });
    expect(stores.failure()).toMatchObject({ code: 'data_dir_in_use' });
    await stores.events.append(commitAfter(undefined, stream));
    expect(stores.failure()).toBeUndefined();
    stores.requireWritten();
    expect(clock.nextAt()).toBeUndefined();
    await stores.close();
  });

  test('is forgotten by itself once the disk takes writes again, by one that changes nothing', async () => {
    const { clock, stores, free } = await failing();
    await clock.advance(limits.storeRetryMs);
    expect(stores.failure()).toMatchObject({ code: 'data_dir_in_use' });
    free();
    await clock.advance(limits.storeRetryMs - 1);
    expect(stores.failure()).toMatchObject({ code: 'data_dir_in_use' });
    await clock.advance(1);
    await expect.poll(() => stores.failure()).toBeUndefined();
    expect(await stores.events.head(stream)).toBeUndefined();
    await stores.close();
  });

  test('leaves no timer behind when the stores are closed', async () => {
    const { clock, stores, free } = await failing();
    expect(clock.nextAt()).toBe(limits.storeRetryMs);
    free();
    await stores.close();
    expect(clock.nextAt()).toBeUndefined();
  });
});

test('a damaged snapshot is none', async () => {
  const stores = openLocalStores({ path });
  await stores.snapshots.save({
    stream,
    version: 1,
    commitHash: '',
    machineVersion: 1,
    stateHash: '',
    state: { a: 1 },
  });
  await stores.flush();
  const foreign = new DatabaseSync(path);
  foreign.exec("UPDATE snapshots SET state = '{'");
  foreign.close();
  expect(await stores.snapshots.load(stream)).toBeUndefined();
  await stores.close();
});

describe('local leases', () => {
  test('reserve their fences durably before the first is used, many at a time', async () => {
    const stores = openLocalStores({ path: ':memory:' });
    const lease = await stores.leases.acquire('a', 'me', 1_000);
    expect(Number.parseInt((await stores.cursors.load(fenceCursor)) ?? '', 10)).toBeGreaterThanOrEqual(
      lease?.fence ?? Infinity,
    );
    await stores.close();
  });

  test('hand out no lease when the fence cannot be made durable, and go on when it can', async () => {
    let broken = true;
    let saved: string | undefined;
    const leases = createLocalLeases({
      clock: new VirtualClock(),
      cursors: {
        load: async () => saved,
        save: async (_name, value) => {
          if (broken) throw new Error('the disk is full');
          saved = value;
        },
      },
    });
    await expect(leases.acquire('a', 'me', 1_000)).rejects.toThrow('the disk is full');
    expect(await leases.holder('a')).toBeUndefined();
    broken = false;
    expect(await leases.acquire('a', 'me', 1_000)).toMatchObject({ owner: 'me', fence: 1 });
  });

  test.each([
    'DELETE FROM cursors',
    ...['junk', '', '0', '1', '7001', '1 0123456789abcdef'].map((text) => `UPDATE cursors SET value = '${text}'`),
    "UPDATE cursors SET value = '1' || value",
  ])('hand out no fence of the log again where it is forgotten which were handed out: %s', async (loss) => {
    const stores = openLocalStores({ path });
    await stores.leases.acquire('a', 'me', 1);
    const first = resealed(commitAfter(undefined, stream), { fence: 7_001 });
    await stores.events.append(first);
    await stores.events.append(resealed(commitAfter(first, stream), { fence: 7_002 }));
    await stores.events.append(resealed(commitAfter(undefined, testStream(2)), { fence: 6_000 }));
    await stores.close();
    const foreign = new DatabaseSync(path);
    expect(foreign.prepare(loss).run().changes).toBe(1);
    foreign.close();
    const again = openLocalStores({ path });
    expect((await again.leases.acquire('a', 'me', 1))?.fence).toBe(7_003);
    await again.close();
  });

  test('keep those that hold when the expired ones are swept away', async () => {
    const clock = new VirtualClock();
    const stores = openLocalStores({ path: ':memory:', clock });
    const kept = await stores.leases.acquire('kept', 'me', 60_000);
    for (let index = 0; index < 5_000; index++) {
      await stores.leases.acquire(`session.${index}`, 'me', 1);
      if (index % 500 === 0) await clock.advance(2);
    }
    expect(await stores.leases.holder('kept')).toEqual(kept);
    expect(await stores.leases.acquire('kept', 'other', 1)).toBeUndefined();
    expect((await stores.leases.acquire('session.1', 'other', 1))?.owner).toBe('other');
    await stores.close();
  });
});
