import { describe, expect, it } from 'vitest';
import { WriteBehind } from './write-behind.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const bounds = { pendingBytesMax: 100, batchMax: 2 };

/** A disk that writes when told to, and fails when told to. */
function slowDisk() {
  const batches: string[][] = [];
  const steps: PromiseWithResolvers<undefined>[] = [];
  const write = async (batch: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    const step = Promise.withResolvers<undefined>();
    steps.push(step);
    await step.promise;
    batches.push([...batch.keys()]);
  };
  const next = async (error?: Error): Promise<void> => {
    const step = steps.shift();
    if (error === undefined) step?.resolve(undefined);
    else step?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { batches, write, next };
}

describe('write-behind', () => {
  it('takes entries at once, shows them while they wait, and writes them in order and in batches', async () => {
    const disk = slowDisk();
    const writes = new WriteBehind<string>(disk.write, bounds);
    for (const key of ['a', 'b', 'c', 'd']) await writes.add(key, bytes(1));
    expect(writes.get('d')).toEqual(bytes(1));
    const drained = writes.drain();
    for (let step = 0; step < 3; step += 1) await disk.next();
    await drained;
    expect(disk.batches).toEqual([['a'], ['b', 'c'], ['d']]);
    expect(writes.get('d')).toBeUndefined();
  });

  it('makes add wait at the bound, and no earlier', async () => {
    const disk = slowDisk();
    const writes = new WriteBehind<string>(disk.write, bounds);
    await writes.add('a', bytes(60));
    await writes.add('b', bytes(40));
    let taken = false;
    const third = writes.add('c', bytes(1)).finally(() => {
      taken = true;
    });
    await disk.next();
    expect(taken).toBe(false);
    await disk.next();
    await third;
    expect(writes.get('c')).toEqual(bytes(1));
    const drained = writes.drain();
    await disk.next();
    await drained;
  });

  it('takes an entry larger than the bound when nothing else waits', async () => {
    const disk = slowDisk();
    const writes = new WriteBehind<string>(disk.write, bounds);
    await writes.add('huge', bytes(1_000));
    expect(writes.get('huge')).toHaveLength(1_000);
  });

  it('keeps what could not be written and tries it again', async () => {
    const disk = slowDisk();
    const writes = new WriteBehind<string>(disk.write, bounds);
    await writes.add('a', bytes(1));
    const drained = writes.drain();
    const failed = drained.catch((error: unknown) => error);
    await disk.next(new Error('disk full'));
    expect(await failed).toEqual(new Error('disk full'));
    expect(writes.get('a')).toEqual(bytes(1));
    const again = writes.drain();
    await disk.next();
    await again;
    expect(disk.batches).toEqual([['a']]);
  });

  it('tells add why it cannot take more while the disk fails', async () => {
    const disk = slowDisk();
    const writes = new WriteBehind<string>(disk.write, bounds);
    await writes.add('a', bytes(100));
    const refused = writes.add('b', bytes(1)).catch((error: unknown) => error);
    await disk.next(new Error('disk full'));
    expect(await refused).toEqual(new Error('disk full'));
    expect(writes.get('b')).toBeUndefined();
  });

  it('writes an entry that is added twice only once', async () => {
    const disk = slowDisk();
    const writes = new WriteBehind<string>(disk.write, bounds);
    await writes.add('a', bytes(1));
    await writes.add('a', bytes(1));
    const drained = writes.drain();
    await disk.next();
    await drained;
    expect(disk.batches).toEqual([['a']]);
  });
});
